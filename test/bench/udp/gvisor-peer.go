// Two gVisor stacks in one process, joined by a pipe: Ethernet, neighbours and checksums as softnet's wire has them. Datagrams go in batches of 32 from a
// connected endpoint of one to a bound one of the other. Prints nanoseconds of CPU (all threads: collecting garbage counts) for each.
//
//	gvisor-peer 4|6 BYTES
package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/link/ethernet"
	"gvisor.dev/gvisor/pkg/tcpip/link/pipe"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

const (
	nic       = 1
	port      = 5000
	batch     = 32
	mtu       = 1514
	warmUp    = time.Second
	measured  = time.Second
)

type family struct {
	protocol    tcpip.NetworkProtocolNumber
	here, there tcpip.Address
	prefixBits  int
}

func familyOf(number string) family {
	if number == "6" {
		return family{ipv6.ProtocolNumber, tcpip.Address("\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"), tcpip.Address("\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"), 64}
	}
	return family{ipv4.ProtocolNumber, tcpip.Address("\x0a\x00\x00\x01"), tcpip.Address("\x0a\x00\x00\x02"), 24}
}

func main() {
	of := familyOf(os.Args[1])
	lenBytes, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	left, right := pipe.New("\x02\x00\x00\x00\x00\x01", "\x02\x00\x00\x00\x00\x02", mtu)
	receiver := endpoint(host(left, of, of.there), of)
	must(receiver.Bind(tcpip.FullAddress{NIC: nic, Addr: of.there, Port: port}))
	sender := endpoint(host(right, of, of.here), of)
	must(sender.Connect(tcpip.FullAddress{NIC: nic, Addr: of.there, Port: port}))
	learn(sender, receiver)
	run(sender, receiver, lenBytes, warmUp)
	fmt.Println(run(sender, receiver, lenBytes, measured))
}

func host(link *pipe.Endpoint, of family, address tcpip.Address) *stack.Stack {
	made := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{arp.NewProtocol, ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{udp.NewProtocol},
	})
	must(made.CreateNIC(nic, ethernet.New(link)))
	prefix := tcpip.AddressWithPrefix{Address: address, PrefixLen: of.prefixBits}
	must(made.AddProtocolAddress(nic, tcpip.ProtocolAddress{Protocol: of.protocol, AddressWithPrefix: prefix}, stack.AddressProperties{}))
	made.SetRouteTable([]tcpip.Route{{Destination: prefix.Subnet(), NIC: nic}})
	return made
}

func endpoint(of *stack.Stack, family family) tcpip.Endpoint {
	made, failed := of.NewEndpoint(udp.ProtocolNumber, family.protocol, &waiter.Queue{})
	must(failed)
	made.SocketOptions().SetReceiveBufferSize(1<<20, false)
	return made
}

// The first asks for the neighbour.
func learn(sender, receiver tcpip.Endpoint) {
	send(sender, []byte{1})
	var into bytes.Buffer
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, failed := receiver.Read(&into, tcpip.ReadOptions{}); failed == nil {
			return
		}
	}
	panic("the first datagram has not come")
}

// Nanoseconds of CPU for each datagram.
func run(sender, receiver tcpip.Endpoint, lenBytes int, span time.Duration) float64 {
	data := bytes.Repeat([]byte{7}, lenBytes)
	into := bytes.NewBuffer(make([]byte, 0, 65536))
	from, end, count := cpu(), time.Now().Add(span), 0
	for time.Now().Before(end) {
		for i := 0; i < batch; i++ {
			send(sender, data)
		}
		for i := 0; i < batch; i++ {
			into.Reset()
			result, failed := receiver.Read(into, tcpip.ReadOptions{})
			must(failed)
			if result.Count != lenBytes {
				panic("other bytes have come")
			}
		}
		count += batch
	}
	return float64((cpu() - from).Nanoseconds()) / float64(count)
}

func send(sender tcpip.Endpoint, data []byte) {
	if _, failed := sender.Write(bytes.NewReader(data), tcpip.WriteOptions{}); failed != nil {
		panic(failed)
	}
}

func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func must(failed tcpip.Error) {
	if failed != nil {
		panic(failed)
	}
}
