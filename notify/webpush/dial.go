package webpush

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// errPrivate is the error of a dial to an address that is nobody's but ours.
var errPrivate = errors.New("endpoint leads into a private network")

// reserved are the networks that are not of the public Internet though they
// look like it (IANA special-purpose registries, RFC 6890 and its successors).
var reserved = func() []netip.Prefix {
	var out []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}()

// Networks whose addresses carry an IPv4 address within: 6to4 and NAT64.
var (
	sixToFour = netip.MustParsePrefix("2002::/16")
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
)

// public tells whether an address is a host of the public Internet: not this
// computer, not its network, not a provider's metadata service.
func public(ip netip.Addr) bool {
	if ip.Zone() != "" {
		return false
	}
	ip = ip.Unmap()
	b := ip.As16()
	switch {
	case ip.Is6() && sixToFour.Contains(ip):
		return public(netip.AddrFrom4([4]byte(b[2:6])))
	case ip.Is6() && nat64.Contains(ip):
		return public(netip.AddrFrom4([4]byte(b[12:16])))
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// control looks at the address that a name has become, just before the
// connection is made: whatever the name server said before or says after.
func (s *Sender) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return errPrivate
	}
	if s.loopback && to.Addr().Unmap().IsLoopback() {
		return nil
	}
	if to.Port() != 443 || !public(to.Addr()) {
		return errPrivate
	}
	return nil
}

// client asks push services, and nobody that they send us on to. No proxy: it
// would be told the endpoint, and would dial for us without looking.
func (s *Sender) client() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: s.control}
	return &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSClientConfig: s.tls, TLSHandshakeTimeout: 10 * time.Second,
			MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections, MaxIdleConns: 20, IdleConnTimeout: 90 * time.Second,
			MaxResponseHeaderBytes: 16 << 10, DisableCompression: true,
			HTTP2: &http.HTTP2Config{SendPingTimeout: 31 * time.Second, PingTimeout: 15 * time.Second},
		},
	}
}
