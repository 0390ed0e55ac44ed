#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Inputs for fuzz_config: the examples, every setting once, what libconfig's grammar has beside, and
numbers, names and nesting at their limits.

    gen_config_corpus.py DIRECTORY
"""
import glob
import os
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
KEYS = 'key = "0x%s"; auth = "hmac-sha2-256-128"; auth_key = "0x%s"' % ("0123456789abcdef" * 2, "fedcba9876543210" * 4)
SA = ('{ dir = "in"; src = "192.0.2.2"; dst = "192.0.2.1"; spi = 0x2711; reqid = 1; if_id = 2; mark = "12/0xff"; '
      'cipher = "aes-cbc"; %s; esn = true; replay_window = 128; encap = { sport = 4500; dport = 4501; }; }' % KEYS)
ALL = '''socket = "/run/x.sock"; log_level = "debug"; crypto = "crypto_aesni_mb0";
api = { group = "adm"; read_group = "users"; mode = "0660"; }; user = "nobody"; core_dumps = false;
huge_pages = true; memory_mb = 2048; mbufs = 65536; mbuf_size = 4096;
max_routes = { ipv4 = 1000; ipv6 = 0x400; }; replay_window = 1024; eal_args = "--log-level=debug";
workers = { cores = [ 1, 2, -1 ]; idle_us = 0; };
ports = ( { name = "wan0"; device = "net_af_packet0,iface=eth0"; rx_queues = 2; rx_descriptors = 512;
  tx_descriptors = 512; mtu = 9000; promiscuous = true; mac = "02:00:00:00:00:01"; },
  { name = "lan0"; device = "0000:03:00.0"; } );
vtis = ( { name = "vti0"; local = "192.0.2.1"; remote = "192.0.2.2"; reqid = 1; if_id = 7; mark = 3; mtu = 1400;
  up = false; parallel = true; description = "to B"; mss = 1200; fragment = "after"; df = "set"; dscp = "46:34,8-15:0";
  ecn = false; ttl = "copy"; flow_label = "zero"; rpf = "strict"; }, { name = "vti1"; local = "2001:db8::1"; remote = "any"; } );
routes = ( { to = "10.0.0.0/8"; dev = "vti0"; metric = 5; }, { to = "2001:db8::/32"; via = "fe80::1"; dev = "wan0"; },
  { to = "0.0.0.0/0"; type = "blackhole"; } );
sas = ( %s );
''' % SA
TEXTS = {
    "empty": "",
    "all": ALL,
    "twice": "mbufs = 2048; mbufs = 2048;",
    "unknown": "bananas = 1; vtis = ( { nam = 1; } );",
    "types": "socket = 1; mbufs = \"x\"; ports = 5; workers = [ 1 ]; vtis = ( 1 ); huge_pages = 1.5;",
    "numbers": "mbufs = 4294967295; memory_mb = -1; idle_us = 0xffffffffffffffffL; replay_window = 99999999999999999999;",
    "floats": "mbufs = 1e30; memory_mb = -.5; idle_us = 1.;",
    "comments": "# a\n// b\n/* c\n*/ mbufs /* d */ = 2048 // e\n;",
    "strings": 'socket = "/a" "b\\x41\\n\\t\\"\\\\"; log_level = "no\\',
    "nested": "a = " + "(" * 200 + ")" * 200 + ";",
    "nested_groups": "a = { " * 100 + "}" * 100,
    "array_of_lists": "workers = { cores = [ ( 1 ), { } ]; };",
    "cores_many": "workers = { cores = [ %s ]; };" % ", ".join(str(i) for i in range(70)),
    "long_text": 'socket = "/%s";' % ("x" * 300),
    "long_name": "%s = 1;" % ("n" * 300),
    "include": '@include "x"\nmbufs = 2048;\n--\nvtis = ( { name = "a"; } );\n',
    "include_twice": '@include "x"\n@include "x"\n--\nmbufs = 2048;\n',
    "include_itself": '@include "x"\n--\n@include "x"\n',
    "key_file": 'sas = ( %s );\n--\n0x%s\n' % (SA.replace('key = "0x', 'key_file = "0x', 1), "00112233445566778899aabbccddeeff"),
    "addresses": 'vtis = ( { name = "a"; local = "::ffff:1.2.3.4"; remote = "255.255.255.255"; } );'
                 'routes = ( { to = "10.0.0.1/8"; dev = "a"; } );',
    "nul": "mbufs = 2048;\0 socket = \"/x\";",
    "mac": 'ports = ( { name = "a"; device = "x"; mac = "ff:ff:ff:ff:ff:ff"; } );',
    "same_names": 'ports = ( { name = "a"; device = "x"; } ); vtis = ( { name = "a"; } );',
}


def main(directory):
    os.makedirs(directory, exist_ok=True)
    texts = dict(TEXTS)
    for path in glob.glob(os.path.join(TOP, "config/examples/*.conf")):
        with open(path) as f:
            texts["example_" + os.path.basename(path)[:-5]] = f.read()
    for name, text in texts.items():
        with open(os.path.join(directory, name), "w", newline="") as f:
            f.write(text)


main(sys.argv[1])
