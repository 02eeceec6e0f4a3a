"""Which network addresses the server may call. Pure."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
NAT64 = IPv6Network("64:ff9b::/96")
METADATA = frozenset({ip_address("169.254.169.254"), ip_address("fd00:ec2::254"), ip_address("100.100.100.200")})
PORTS = frozenset({80, 443, 6080, 6443, 8080, 8443})
FIRST_FREE_PORT = 1024


def disguised(address: Address) -> bool:
    """Whether an IPv6 address carries an IPv4 one, which the checks below would not see."""
    if isinstance(address, IPv4Address):
        return False
    return bool(address.ipv4_mapped or address.sixtofour or address.teredo or address in NAT64)


def objection(text: str, *, allow_private: bool) -> str | None:
    """Return why an address may not be called, None when it may. `allow_private` opens loopback and private networks only."""
    address = ip_address(text.partition("%")[0])
    if address in METADATA or address.is_link_local:
        return "a link-local or metadata address"
    if disguised(address):
        return "an IPv4 address in IPv6 clothing"
    if address.is_multicast or address.is_unspecified or (address.is_reserved and not address.is_loopback):
        return "not an address of one host"
    if not address.is_global and not (allow_private and (address.is_private or address.is_loopback)):
        return "a private address, which its settings do not allow"
    return None


def port_objection(port: int, *, allow_private: bool) -> str | None:
    if port in PORTS or (allow_private and port >= FIRST_FREE_PORT):
        return None
    return f"port {port}, which is not in the list {', '.join(map(str, sorted(PORTS)))}"
