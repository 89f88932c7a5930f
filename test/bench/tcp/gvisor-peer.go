// Two gVisor stacks in one process, joined by a pipe: Ethernet, neighbours and checksums as softnet's wire has them, nothing cut late. Prints nanoseconds of CPU (all threads: collecting
// garbage counts) for each block of 64 KiB, round trip of an octet, or connection with one.
//
//	gvisor-peer bulk|rr|crr MTU
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/link/ethernet"
	"gvisor.dev/gvisor/pkg/tcpip/link/pipe"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

const (
	nic      = 1
	port     = 80
	block    = 65536
	warmUp   = time.Second
	measured = time.Second
	here     = tcpip.Address("\x0a\x00\x00\x01")
	there    = tcpip.Address("\x0a\x00\x00\x02")
)

var server = tcpip.FullAddress{NIC: nic, Addr: there, Port: port}

func main() {
	runtime.GOMAXPROCS(1)
	mtu, err := strconv.Atoi(os.Args[2])
	check(err)
	left, right := pipe.New("\x02\x00\x00\x00\x00\x01", "\x02\x00\x00\x00\x00\x02", uint32(mtu+14))
	client := host(right, here)
	listener, err := gonet.ListenTCP(host(left, there), server, ipv4.ProtocolNumber)
	check(err)
	works := map[string]func(*stack.Stack, *gonet.TCPListener) func(){"bulk": bulk, "rr": roundTrip, "crr": connection}
	once := works[os.Args[1]](client, listener)
	run(once, warmUp)
	fmt.Println(run(once, measured))
}

func host(link *pipe.Endpoint, address tcpip.Address) *stack.Stack {
	made := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{arp.NewProtocol, ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
	})
	must(made.CreateNIC(nic, ethernet.New(link)))
	prefix := tcpip.AddressWithPrefix{Address: address, PrefixLen: 24}
	must(made.AddProtocolAddress(nic, tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: prefix}, stack.AddressProperties{}))
	made.SetRouteTable([]tcpip.Route{{Destination: prefix.Subnet(), NIC: nic}})
	// Else ports run out.
	wait := tcpip.TCPTimeWaitTimeoutOption(time.Millisecond)
	must(made.SetTransportProtocolOption(tcp.ProtocolNumber, &wait))
	sack := tcpip.TCPSACKEnabled(true)
	must(made.SetTransportProtocolOption(tcp.ProtocolNumber, &sack))
	return made
}

// A block is written; it is done when as many octets have come as were written.
func bulk(client *stack.Stack, listener *gonet.TCPListener) func() {
	from, to := pair(client, listener)
	data := bytes.Repeat([]byte{7}, block)
	go func() {
		for {
			_, err := from.Write(data)
			check(err)
		}
	}()
	into := make([]byte, block)
	return func() {
		_, err := io.ReadFull(to, into)
		check(err)
	}
}

func roundTrip(client *stack.Stack, listener *gonet.TCPListener) func() {
	from, to := pair(client, listener)
	go echo(to)
	octet := []byte{7}
	return func() { ask(from, octet) }
}

func connection(client *stack.Stack, listener *gonet.TCPListener) func() {
	go func() {
		for {
			accepted, err := listener.Accept()
			check(err)
			go echo(accepted)
		}
	}()
	octet := []byte{7}
	return func() {
		from, err := gonet.DialTCP(client, server, ipv4.ProtocolNumber)
		check(err)
		ask(from, octet)
		from.Close()
	}
}

func pair(client *stack.Stack, listener *gonet.TCPListener) (io.ReadWriteCloser, io.ReadWriteCloser) {
	from, err := gonet.DialTCP(client, server, ipv4.ProtocolNumber)
	check(err)
	to, err := listener.Accept()
	check(err)
	return from, to
}

func echo(of io.ReadWriteCloser) {
	octet := make([]byte, 1)
	for {
		if _, err := io.ReadFull(of, octet); err != nil {
			of.Close()
			return
		}
		_, err := of.Write(octet)
		check(err)
	}
}

func ask(of io.ReadWriter, octet []byte) {
	_, err := of.Write(octet)
	check(err)
	_, err = io.ReadFull(of, octet)
	check(err)
}

// Nanoseconds of CPU for each.
func run(once func(), span time.Duration) float64 {
	from, end, count := cpu(), time.Now().Add(span), 0
	for time.Now().Before(end) {
		once()
		count++
	}
	return float64((cpu() - from).Nanoseconds()) / float64(count)
}

func cpu() time.Duration {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func must(failed tcpip.Error) {
	if failed != nil {
		panic(failed)
	}
}
