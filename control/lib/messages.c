/* SPDX-License-Identifier: BSD-3-Clause */
/* Sizes of the messages, from their one declaration. */

/* What travels has no bytes that nobody set. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include <viaduct_api.h>
#pragma GCC diagnostic pop

#include "connection.h"

int viaduct_request_size(unsigned type)
{
	switch (type) {
#define X(name, number, req, rep, write, dump)                                                     \
	case number:                                                                               \
		return sizeof(struct req);
		VIADUCT_MESSAGES(X)
#undef X
	}
	return -1;
}

int viaduct_reply_size(unsigned type)
{
	switch (type) {
#define X(name, number, req, rep, write, dump)                                                     \
	case number:                                                                               \
		return sizeof(struct rep);
		VIADUCT_MESSAGES(X)
#undef X
	}
	return -1;
}

bool message_is_dump(unsigned type)
{
	switch (type) {
#define X(name, number, req, rep, write, dump)                                                     \
	case number:                                                                               \
		return dump;
		VIADUCT_MESSAGES(X)
#undef X
	}
	return false;
}

int viaduct_event_size(unsigned type)
{
	switch (type) {
	case VIADUCT_EVENT_SA_EXPIRE:
		return sizeof(struct viaduct_sa_expire);
	case VIADUCT_EVENT_ACQUIRE:
		return sizeof(struct viaduct_acquire);
	case VIADUCT_EVENT_MAPPING:
		return sizeof(struct viaduct_mapping);
	case VIADUCT_EVENT_VTI:
		return sizeof(struct viaduct_vti_info);
	}
	return -1;
}
