// What a program in Go does with a daemon of libvirt's at the default socket, through go-libvirt: it lists domains,
// reads one's definition, switches it off and on again, and listens to what happens meanwhile.
//
//	go-libvirt URI NAME
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"

	"github.com/digitalocean/go-libvirt"
	"github.com/digitalocean/go-libvirt/socket/dialers"
)

func main() {
	uri, name := os.Args[1], os.Args[2]
	connection := libvirt.NewWithDialer(dialers.NewLocal())
	must(connection.ConnectToURI(libvirt.ConnectURI(uri)))

	version, err := connection.ConnectGetLibVersion()
	must(err)
	fmt.Println("version", version > 0)

	domains, _, err := connection.ConnectListAllDomains(1, libvirt.ConnectListDomainsActive)
	must(err)
	names := []string{}
	for _, domain := range domains {
		names = append(names, domain.Name)
	}
	sort.Strings(names)
	fmt.Println("active", strings.Join(names, " "))

	domain, err := connection.DomainLookupByName(name)
	must(err)
	definition, err := connection.DomainGetXMLDesc(domain, 0)
	must(err)
	fmt.Println("defined", strings.Contains(definition, "<name>"+name+"</name>"))

	events, err := connection.LifecycleEvents(context.Background())
	must(err)
	must(connection.DomainShutdown(domain))
	await(events, name, libvirt.DomainEventStopped)
	state, reason, err := connection.DomainGetState(domain, 0)
	must(err)
	fmt.Println("off", libvirt.DomainState(state) == libvirt.DomainShutoff, reason)

	must(connection.DomainCreate(domain))
	await(events, name, libvirt.DomainEventStarted)
	state, _, err = connection.DomainGetState(domain, 0)
	must(err)
	fmt.Println("on", libvirt.DomainState(state) == libvirt.DomainRunning)

	_, err = connection.DomainLookupByName("no-such-domain")
	fmt.Println("unknown", libvirt.IsNotFound(err))
	must(connection.Disconnect())
}

// Passes over the events of other domains.
func await(events <-chan libvirt.DomainEventLifecycleMsg, name string, kind libvirt.DomainEventType) {
	for event := range events {
		if event.Dom.Name == name && libvirt.DomainEventType(event.Event) == kind {
			return
		}
	}
	log.Fatal("The events have ended")
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
