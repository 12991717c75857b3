//! Names of protocols.

use std::fmt;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    ethertype: u16,
    protocol: u8,
    port: u16,
}

impl Kind {
    pub fn new(ethertype: u16, protocol: u8, port: u16) -> Self {
        Self {
            ethertype,
            protocol,
            port,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match self.ethertype {
            IPV4 => "IPv4",
            IPV6 => "IPv6",
            other => {
                return match name_of_ethertype(other) {
                    Some(name) => f.pad(name),
                    None => f.pad(&format!("type {other:#06x}")),
                };
            }
        };
        let mut text = match name_of_protocol(self.protocol) {
            Some(name) => format!("{version} {name}"),
            None => format!("{version} {}", self.protocol),
        };
        if self.port != 0 {
            text.push_str(&format!(" {}", self.port));
        }
        f.pad(&text)
    }
}

fn name_of_ethertype(number: u16) -> Option<&'static str> {
    Some(match number {
        // Shorter than an Ethernet header, or a length in place of a type.
        0 => "none",
        1..=1500 => "802.3",
        0x0806 => "ARP",
        0x8847 | 0x8848 => "MPLS",
        0x8863 | 0x8864 => "PPPoE",
        0x88cc => "LLDP",
        0x8100 | 0x88a8 => "VLAN",
        0x88f7 => "PTP",
        _ => return None,
    })
}

fn name_of_protocol(number: u8) -> Option<&'static str> {
    Some(match number {
        0 => "hop-by-hop",
        1 => "ICMP",
        2 => "IGMP",
        4 => "IPIP",
        6 => "TCP",
        17 => "UDP",
        41 => "IPv6",
        43 => "routing",
        44 => "fragment",
        47 => "GRE",
        50 => "ESP",
        51 => "AH",
        58 => "ICMPv6",
        89 => "OSPF",
        112 => "VRRP",
        132 => "SCTP",
        136 => "UDPLite",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_names() {
        for (kind, name) in [
            (Kind::new(IPV4, 6, 0), "IPv4 TCP"),
            (Kind::new(IPV6, 17, 53), "IPv6 UDP 53"),
            (Kind::new(IPV4, 200, 0), "IPv4 200"),
            (Kind::new(0x0806, 0, 0), "ARP"),
            (Kind::new(0x1234, 0, 0), "type 0x1234"),
            (Kind::new(100, 0, 0), "802.3"),
        ] {
            assert_eq!(kind.to_string(), name);
        }
        assert_eq!(format!("{:<10}|", Kind::new(0x0806, 0, 0)), "ARP       |");
    }
}
