/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods of kernel_ipsec_t: each becomes a request to viaductd. What it took is remembered
 * (kept.h); what it refused, or what could not be asked because it is away, is not.
 *
 * Part of the strongSwan plugin kernel-viaduct: free software under the GNU General Public License,
 * version 2 or (at your option) any later version; see COPYING in this folder. No warranty. */
#include "kernel_viaduct_ipsec.h"
#include "child_sa_request.h"
#include "convert.h"
#include "events.h"
#include "kept.h"
#include "link.h"
#include "orphans.h"

#include <daemon.h>
#include <processing/jobs/callback_job.h>
#include <utils/debug.h>

#include <errno.h>

#define TIMEOUT_S 5
/* A rekeying that came to nothing (peer away, exchange collided) is asked for again. */
#define REKEY_AGAIN_S 10
/* An SA that has been replaced is kept until the peer's last packets on it have come: as long as
 * charon itself waits (charon.delete_rekeyed_delay). */
#define ORPHANS_STAY_S 5

typedef struct private_kernel_viaduct_ipsec_t private_kernel_viaduct_ipsec_t;

struct private_kernel_viaduct_ipsec_t {
	kernel_ipsec_t public;
	struct link *link;
	struct kept *kept;
	struct orphans *orphans;
	bool met;            /* some viaductd, once */
	unsigned rekey_jobs; /* rekey_lost jobs that run or wait */
};

METHOD(kernel_ipsec_t, get_features, kernel_feature_t, private_kernel_viaduct_ipsec_t *this)
{
	/* No KERNEL_POLICY_SPI: the newest outbound SA is the one that sends, so as responder of a
	 * rekeying charon must install it only when the initiator has its inbound one.
	 *
	 * Policies say nothing of addresses. Were they taken away while their SAs move, inbound SAs
	 * would lose their mark, hence their VTI, and packets with it. */
	return KERNEL_NO_POLICY_UPDATES;
}

METHOD(kernel_ipsec_t, get_spi, status_t, private_kernel_viaduct_ipsec_t *this, host_t *src,
	host_t *dst, uint8_t protocol, uint32_t *spi)
{
	const uint32_t a =
		lib->settings->get_int(lib->settings, "%s.spi_min", KERNEL_SPI_MIN, lib->ns);
	const uint32_t b =
		lib->settings->get_int(lib->settings, "%s.spi_max", KERNEL_SPI_MAX, lib->ns);
	const struct viaduct_spi_alloc req = {
		.src = addr_from_host(src),
		.dst = addr_from_host(dst),
		.min = min(a, b),
		.max = max(a, b),
	};
	struct viaduct_spi rep;
	int ret;

	if (protocol != IPPROTO_ESP) {
		DBG1(DBG_KNL, "viaduct: AH (ah_proposals) is not supported");
		return NOT_SUPPORTED;
	}
	link_lock(this->link);
	ret = link_call(this->link, VIADUCT_SPI_ALLOC, &req, &rep);
	if (ret == 0)
		*spi = htonl(rep.spi);
	else
		DBG1(DBG_KNL, "viaduct: no SPI for %H: %s", dst, link_error(this->link));
	link_unlock(this->link);
	return ret == 0 ? SUCCESS : FAILED;
}

METHOD(kernel_ipsec_t, get_cpi, status_t, private_kernel_viaduct_ipsec_t *this, host_t *src,
	host_t *dst, uint16_t *cpi)
{
	DBG1(DBG_KNL, "viaduct: IPComp (ipcomp = yes) is not supported");
	return NOT_SUPPORTED;
}

static job_requeue_t remove_orphans(private_kernel_viaduct_ipsec_t *this)
{
	link_lock(this->link);
	orphans_remove_replaced(this->orphans, this->link);
	link_unlock(this->link);
	return JOB_REQUEUE_NONE;
}

/* With the link's lock held: what is installed may take over from a former charon's SA. */
static void take_over(private_kernel_viaduct_ipsec_t *this, const struct viaduct_sa *sa)
{
	if (sa->dir != VIADUCT_OUT || !orphans_replaced(this->orphans, sa))
		return;
	lib->scheduler->schedule_job(lib->scheduler,
		(job_t *)callback_job_create((callback_job_cb_t)remove_orphans, this, NULL, NULL),
		ORPHANS_STAY_S);
}

METHOD(kernel_ipsec_t, add_sa, status_t, private_kernel_viaduct_ipsec_t *this,
	kernel_ipsec_sa_id_t *id, kernel_ipsec_add_sa_t *data)
{
	struct viaduct_sa req;
	int ret;

	if (!child_sa_request(&req, id, data)) {
		memwipe(&req, sizeof(req));
		return NOT_SUPPORTED;
	}
	link_lock(this->link);
	ret = link_call(this->link, VIADUCT_SA_ADD, &req, NULL);
	if (ret == 0) {
		kept_add_sa(this->kept, &req);
		take_over(this, &req);
	} else {
		DBG1(DBG_KNL, "viaduct: %s SA %.8x to %H is not installed: %s",
			data->inbound ? "inbound" : "outbound", req.id.spi, id->dst,
			link_error(this->link));
	}
	link_unlock(this->link);
	memwipe(&req, sizeof(req));
	return ret == 0 ? SUCCESS : FAILED;
}

METHOD(kernel_ipsec_t, update_sa, status_t, private_kernel_viaduct_ipsec_t *this,
	kernel_ipsec_sa_id_t *id, kernel_ipsec_update_sa_t *data)
{
	const struct viaduct_sa_update req = {
		.id = sa_id_from(id),
		.new_src = addr_from_host(data->new_src),
		.new_dst = addr_from_host(data->new_dst),
		.new_sport = data->new_encap ? data->new_src->get_port(data->new_src) : 0,
		.new_dport = data->new_encap ? data->new_dst->get_port(data->new_dst) : 0,
		.encap = data->new_encap,
		.new_reqid = data->new_reqid,
	};
	int ret;

	if (data->cpi != 0)
		return NOT_SUPPORTED;
	link_lock(this->link);
	ret = link_call(this->link, VIADUCT_SA_UPDATE, &req, NULL);
	if (ret == 0)
		kept_update_sa(this->kept, &req);
	else if (ret == -EOPNOTSUPP)
		DBG1(DBG_KNL, "viaduct: SA %.8x cannot move to %#H == %#H and is rekeyed",
			req.id.spi, data->new_src, data->new_dst);
	else
		DBG1(DBG_KNL, "viaduct: SA %.8x is not moved to %#H == %#H: %s", req.id.spi,
			data->new_src, data->new_dst, link_error(this->link));
	link_unlock(this->link);
	/* NOT_SUPPORTED makes charon negotiate new SAs instead. */
	return ret == 0 ? SUCCESS : ret == -EOPNOTSUPP ? NOT_SUPPORTED : FAILED;
}

METHOD(kernel_ipsec_t, query_sa, status_t, private_kernel_viaduct_ipsec_t *this,
	kernel_ipsec_sa_id_t *id, kernel_ipsec_query_sa_t *data, uint64_t *bytes, uint64_t *packets,
	time_t *time)
{
	const struct viaduct_sa_id req = sa_id_from(id);
	struct viaduct_sa_info info;
	int ret;

	link_lock(this->link);
	ret = link_call(this->link, VIADUCT_SA_GET, &req, &info);
	link_unlock(this->link);
	if (ret < 0)
		return ret == -ENOENT ? NOT_FOUND : FAILED;
	if (bytes != NULL)
		*bytes = info.bytes;
	if (packets != NULL)
		*packets = info.packets;
	/* DPD and keepalives are skipped while this is recent. */
	if (time != NULL)
		*time = info.idle_s == UINT64_MAX ? 0 : time_monotonic(NULL) - (time_t)info.idle_s;
	return SUCCESS;
}

METHOD(kernel_ipsec_t, del_sa, status_t, private_kernel_viaduct_ipsec_t *this,
	kernel_ipsec_sa_id_t *id, kernel_ipsec_del_sa_t *data)
{
	const struct viaduct_sa_id req = sa_id_from(id);
	int ret;

	link_lock(this->link);
	ret = link_call(this->link, VIADUCT_SA_DEL, &req, NULL);
	kept_remove_sa(this->kept, &req, link_lost(ret));
	link_unlock(this->link);
	if (ret == -ENOENT)
		return NOT_FOUND; /* an SPI never used, or an SA lost with a former daemon */
	if (ret < 0 && !link_lost(ret)) {
		DBG1(DBG_KNL, "viaduct: SA %.8x is not deleted: %s", req.spi,
			link_error(this->link));
		return FAILED;
	}
	return SUCCESS;
}

METHOD(kernel_ipsec_t, flush_sas, status_t, private_kernel_viaduct_ipsec_t *this)
{
	int ret;

	link_lock(this->link);
	ret = link_call(this->link, VIADUCT_SA_FLUSH, NULL, NULL);
	if (ret == 0)
		kept_flush_sas(this->kept);
	link_unlock(this->link);
	return ret == 0 ? SUCCESS : FAILED;
}

/* Routes decide what enters a tunnel, so a policy only says which SAs belong to which VTI. Forward
 * policies say nothing more, nor do those that let traffic pass or, while SAs change, drop it. */
static bool concerns_viaduct(kernel_ipsec_policy_id_t *id, kernel_ipsec_manage_policy_t *data)
{
	return id->dir != POLICY_FWD && data->type == POLICY_IPSEC;
}

/* A connection with "mode = drop". */
static bool is_drop_shunt(kernel_ipsec_manage_policy_t *data)
{
	return data->type == POLICY_DROP && data->prio == POLICY_PRIORITY_FALLBACK;
}

METHOD(kernel_ipsec_t, add_policy, status_t, private_kernel_viaduct_ipsec_t *this,
	kernel_ipsec_policy_id_t *id, kernel_ipsec_manage_policy_t *data)
{
	struct viaduct_policy policy;
	int ret = 0;

	if (is_drop_shunt(data)) {
		DBG1(DBG_KNL,
			"viaduct: mode = drop is not supported; use: ip route add blackhole %R",
			id->dst_ts);
		return NOT_SUPPORTED;
	}
	if (!concerns_viaduct(id, data) || !policy_from(&policy, id, data))
		return SUCCESS;
	link_lock(this->link);
	if (kept_add_policy(this->kept, &policy, policy_is_trap(data)))
		ret = link_call(this->link, VIADUCT_POLICY_ADD, &policy, NULL);
	if (ret < 0) {
		kept_remove_policy(this->kept, &policy, policy_is_trap(data));
		DBG1(DBG_KNL, "viaduct: policy %R === %R %N is not installed: %s", id->src_ts,
			id->dst_ts, policy_dir_names, id->dir, link_error(this->link));
	}
	link_unlock(this->link);
	return ret == 0 ? SUCCESS : FAILED;
}

/* When the SA was last used, by charon's clock; 0: never, or it is gone. With the link's lock held. */
static time_t last_use(private_kernel_viaduct_ipsec_t *this, const struct viaduct_sa_id *id)
{
	struct viaduct_sa_info info;

	if (link_call(this->link, VIADUCT_SA_GET, id, &info) < 0 || info.idle_s == UINT64_MAX)
		return 0;
	return time_monotonic(NULL) - (time_t)info.idle_s;
}

/* That of its SAs. charon doesn't say which reqid it means: where several have the same policy, it is
 * told nothing here and asks the SAs, as one peer's packets don't prove that another lives. */
METHOD(kernel_ipsec_t, query_policy, status_t, private_kernel_viaduct_ipsec_t *this,
	kernel_ipsec_policy_id_t *id, kernel_ipsec_query_policy_t *data, time_t *use_time)
{
	struct viaduct_policy policy;
	struct viaduct_sa_id *sa;
	linked_list_t *sas;

	if (id->dir == POLICY_FWD || !policy_from_id(&policy, id))
		return NOT_FOUND;
	link_lock(this->link);
	sas = kept_sas_of(this->kept, &policy);
	*use_time = 0;
	while (sas != NULL && sas->remove_first(sas, (void **)&sa) == SUCCESS) {
		*use_time = max(*use_time, last_use(this, sa));
		free(sa);
	}
	link_unlock(this->link);
	if (sas == NULL)
		return NOT_FOUND;
	sas->destroy(sas);
	return SUCCESS;
}

METHOD(kernel_ipsec_t, del_policy, status_t, private_kernel_viaduct_ipsec_t *this,
	kernel_ipsec_policy_id_t *id, kernel_ipsec_manage_policy_t *data)
{
	struct viaduct_policy policy;
	int ret = 0;

	if (!concerns_viaduct(id, data) || !policy_from(&policy, id, data))
		return SUCCESS;
	link_lock(this->link);
	if (kept_remove_policy(this->kept, &policy, policy_is_trap(data))) {
		ret = link_call(this->link, VIADUCT_POLICY_DEL, &policy, NULL);
		if (link_lost(ret))
			kept_missed_policy(this->kept, &policy);
	}
	link_unlock(this->link);
	return ret == 0 || link_lost(ret) ? SUCCESS : FAILED;
}

METHOD(kernel_ipsec_t, flush_policies, status_t, private_kernel_viaduct_ipsec_t *this)
{
	int ret;

	link_lock(this->link);
	ret = link_call(this->link, VIADUCT_POLICY_FLUSH, NULL, NULL);
	if (ret == 0)
		kept_flush_policies(this->kept);
	link_unlock(this->link);
	return ret == 0 ? SUCCESS : FAILED;
}

/* IKE packets are the kernel's own: it sends them through the ports' twins, and there is no policy
 * that could catch them. */
METHOD(kernel_ipsec_t, bypass_socket, bool, private_kernel_viaduct_ipsec_t *this, int fd,
	int family)
{
	return TRUE;
}

/* viaductd takes ESP in UDP off before the kernel sees it; what is left is IKE. */
METHOD(kernel_ipsec_t, enable_udp_decap, bool, private_kernel_viaduct_ipsec_t *this, int fd,
	int family, uint16_t port)
{
	return TRUE;
}

/* Until the last SA that was lost with a former daemon is gone, replaced by a rekeying. */
static job_requeue_t rekey_lost(private_kernel_viaduct_ipsec_t *this)
{
	struct viaduct_sa_id *id;
	linked_list_t *lost;
	bool again;

	link_lock(this->link);
	lost = kept_lost(this->kept);
	again = lost->get_count(lost) > 0 && this->rekey_jobs == 1;
	if (!again)
		this->rekey_jobs--;
	link_unlock(this->link);
	while (lost->remove_first(lost, (void **)&id) == SUCCESS) {
		event_expire(id, FALSE);
		free(id);
	}
	lost->destroy(lost);
	if (again)
		return JOB_RESCHEDULE(REKEY_AGAIN_S);
	return JOB_REQUEUE_NONE;
}

static void on_connected(void *arg, bool restarted)
{
	private_kernel_viaduct_ipsec_t *this = arg;

	if (!restarted) {
		kept_catch_up(this->kept, this->link);
		return;
	}
	if (this->met)
		orphans_forget(this->orphans);
	else
		orphans_find(this->orphans, this->link);
	this->met = TRUE;
	kept_restore(this->kept, this->link);
	this->rekey_jobs++;
	lib->processor->queue_job(lib->processor,
		(job_t *)callback_job_create((callback_job_cb_t)rekey_lost, this, NULL, NULL));
}

static void on_expire(private_kernel_viaduct_ipsec_t *this, const struct viaduct_sa_expire *expire)
{
	bool ours;

	link_lock(this->link);
	ours = kept_has_sa(this->kept, &expire->id); /* not one keyed by hand */
	if (!ours && expire->hard)
		orphans_expired(this->orphans, this->link, &expire->id);
	link_unlock(this->link);
	if (ours)
		event_expire(&expire->id, expire->hard != 0);
}

static void on_acquire(private_kernel_viaduct_ipsec_t *this, const struct viaduct_acquire *acquire)
{
	bool wanted;

	link_lock(this->link);
	wanted = kept_may_acquire(this->kept, acquire->reqid);
	link_unlock(this->link);
	if (wanted)
		event_acquire(acquire);
}

static void on_mapping(private_kernel_viaduct_ipsec_t *this, const struct viaduct_mapping *mapping)
{
	bool ours;

	link_lock(this->link);
	ours = kept_has_sa(this->kept, &mapping->id);
	link_unlock(this->link);
	if (ours)
		event_mapping(mapping);
}

static void on_event(void *arg, unsigned type, const void *data)
{
	switch (type) {
	case VIADUCT_EVENT_SA_EXPIRE:
		on_expire(arg, data);
		break;
	case VIADUCT_EVENT_ACQUIRE:
		on_acquire(arg, data);
		break;
	case VIADUCT_EVENT_MAPPING:
		on_mapping(arg, data);
		break;
	}
}

METHOD(kernel_ipsec_t, destroy, void, private_kernel_viaduct_ipsec_t *this)
{
	link_destroy(this->link);
	kept_destroy(this->kept);
	orphans_destroy(this->orphans);
	free(this);
}

kernel_ipsec_t *kernel_viaduct_ipsec_create(void)
{
	private_kernel_viaduct_ipsec_t *this;

	INIT(this,
		.public =
			{
				.get_features = _get_features,
				.get_spi = _get_spi,
				.get_cpi = _get_cpi,
				.add_sa = _add_sa,
				.update_sa = _update_sa,
				.query_sa = _query_sa,
				.del_sa = _del_sa,
				.flush_sas = _flush_sas,
				.add_policy = _add_policy,
				.query_policy = _query_policy,
				.del_policy = _del_policy,
				.flush_policies = _flush_policies,
				.bypass_socket = _bypass_socket,
				.enable_udp_decap = _enable_udp_decap,
				.destroy = _destroy,
			},
		.kept = kept_create(), .orphans = orphans_create(), );
	this->link = link_create(
		lib->settings->get_str(
			lib->settings, "%s.plugins.kernel-viaduct.socket", VIADUCT_SOCKET, lib->ns),
		lib->settings->get_int(
			lib->settings, "%s.plugins.kernel-viaduct.timeout", TIMEOUT_S, lib->ns),
		(struct link_user){.connected = on_connected, .event = on_event, .arg = this});
	link_start(this->link);
	return &this->public;
}
