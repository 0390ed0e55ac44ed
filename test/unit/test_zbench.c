#include "control/addr_text.h"
#include "control/rcu.h"
#include "control/sadb.h"
#include "control/vti.h"
#include "dataplane/spi_table.h"
#include "control_fakes.h"
#include "unit.h"
#include <rte_eal.h>
#include <time.h>
static double now(void){struct timespec t;clock_gettime(CLOCK_MONOTONIC,&t);return t.tv_sec+t.tv_nsec/1e9;}
static void bench(void){
 struct err e; unsigned n=10000; double t=now(), t0=t;
 rcu_init(2); spi_table_init();
 for(unsigned i=0;i<n;i++){struct viaduct_vti r={.fields=VIADUCT_VTI_LOCAL|VIADUCT_VTI_REMOTE|VIADUCT_VTI_IF_ID,.if_id=i+1};snprintf(r.name,16,"vti%u",i);addr_parse("192.0.2.1",&r.local);r.remote=r.local;r.remote.bytes[0]=10;r.remote.bytes[1]=i>>8;r.remote.bytes[2]=i;CU_ASSERT_EQUAL(vti_add(&r,NULL,&e),0);}
 printf("\nvtis %.3f s\n",now()-t);t=now();
 for(unsigned k=0;k<2;k++) for(unsigned i=0;i<n;i++){
  struct viaduct_addr l={.family=4,.bytes={192,0,2,1}},rm={.family=4,.bytes={10,i>>8,i,1}};
  for(int d=1;d<=2;d++){struct viaduct_sa r={.id={.dst=d==1?l:rm,.spi=0x10000000+i+k*n},.src=d==1?rm:l,.dir=d,.cipher=3,.enc_key_len=20,.reqid=i+1,.if_id=i+1};
   CU_ASSERT_EQUAL(sadb_add(&r,&e),0);
   struct viaduct_policy p={.dir=d,.reqid=i+1,.if_id=i+1,.selector={.family=4}}; policy_add(&p,NULL); p.selector.family=6; policy_add(&p,NULL);}}
 printf("sas+policies %.3f s for %u\n",now()-t,sadb_count());t=now();
 sadb_tick(); printf("tick %.3f s\n",now()-t);t=now();
 struct viaduct_vti r={.name="vti5",.fields=VIADUCT_VTI_IF_ID,.if_id=999999};vti_set(&r,NULL,&e);printf("set %.3f s\n",now()-t);t=now();
 sadb_flush();printf("flush %.3f s\n",now()-t);t=now(); vti_fini(); printf("fini %.3f s total %.3f\n",now()-t,now()-t0);rcu_poll();
}
UNIT_EAL_MAIN("bench",UNIT_TEST(bench))
