import Testing

@testable import Sandbox

@Suite struct NetworkPlanTests {
    private let plan = LabPlan(
        topology: LabTopology(payment: 1, inventory: 2, notification: 1), baseHosts: "127.0.0.1 localhost\n")

    @Test func everyInterfaceNameFitsTheKernelAndIsItsOwn() {
        let names = LabTopology(payment: 9, inventory: 9, notification: 9).hosts.map(\.routerInterface)
        #expect(names.allSatisfy { $0.utf8.count <= 15 })
        #expect(Set(names).count == 28)
        #expect(names.contains("v-client") && names.contains("v-payment-0") && names.contains("v-notificatio-8"))
    }

    @Test func theStepsComeInAnOrderInWhichEachFindsWhatItNeeds() {
        let tools = plan.steps.map { step in
            switch step {
            case .run(let tool, let arguments, _): ([tool] + arguments).joined(separator: " ")
            case .write(_, let path): "write \(path)"
            }
        }
        #expect(
            tools == [
                "mount -t tmpfs -o mode=755,size=16m lab /run", "mkdir /run/netns",
                "write /proc/sys/net/ipv4/ip_forward",
                "write /proc/sys/net/ipv4/conf/all/rp_filter", "write /proc/sys/net/ipv4/conf/default/rp_filter",
                "write /proc/sys/net/ipv4/conf/all/arp_ignore", "write /proc/sys/net/ipv4/conf/default/arp_ignore",
                "ip -batch -", "ip -n client -batch -", "ip -n payment-0 -batch -", "ip -n inventory-0 -batch -",
                "ip -n inventory-1 -batch -", "ip -n notification-0 -batch -", "nft -f -", "write /run/hosts",
                "mount --bind /run/hosts /etc/hosts",
            ])
    }

    @Test func theRouterHasACableAndARouteToEveryHost() {
        #expect(
            plan.router.hasPrefix(
                """
                link set lo up
                addr add 10.77.0.1/32 dev lo
                route add 10.77.100.0/24 dev lo src 10.77.0.1
                netns add client
                link add v-client type veth peer name eth0 netns client
                link set v-client up
                route add 10.77.0.2/32 dev v-client
                netns add payment-0

                """))
        #expect(plan.router.contains("route add 10.77.2.2/32 dev v-inventory-1\n"))
    }

    @Test func aHostKnowsOnlyTheRouter() {
        #expect(
            LabPlan.host(LabHost(name: "inventory-1", address: "10.77.2.2")) == """
                link set lo up
                addr add 10.77.2.2/32 dev eth0
                link set eth0 up
                route add 10.77.0.1/32 dev eth0
                route add default via 10.77.0.1

                """)
    }

    @Test func virtualAddressesAreSpreadOverTheReplicasInBothHooks() {
        let rules = plan.addressTranslation.split(separator: "\n").filter { $0.contains("dnat") }
        let inventory =
            "ip daddr 10.77.100.2 tcp dport 5003 dnat to numgen inc mod 2 map { 0 : 10.77.2.1, 1 : 10.77.2.2 }"
        #expect(rules.filter { $0.contains(inventory) }.count == 2)
        #expect(
            rules.count { $0.contains("10.77.100.1 tcp dport 5002 dnat to numgen inc mod 1 map { 0 : 10.77.1.1 }") }
                == 2)
    }

    @Test func theLabsNamesComeBeforeTheMachines() {
        #expect(
            plan.hostsFile == """
                10.77.0.1 scenario-runner
                10.77.100.1 payment-service payment-service.payment-chaos payment-service.payment-chaos.svc payment-service.payment-chaos.svc.cluster.local
                10.77.100.2 inventory-service inventory-service.payment-chaos inventory-service.payment-chaos.svc inventory-service.payment-chaos.svc.cluster.local
                10.77.100.3 notification-service notification-service.payment-chaos notification-service.payment-chaos.svc notification-service.payment-chaos.svc.cluster.local
                10.77.0.2 client
                10.77.1.1 payment-0
                10.77.2.1 inventory-0
                10.77.2.2 inventory-1
                10.77.3.1 notification-0
                127.0.0.1 localhost

                """)
    }

    @Test func itIsRefusedOnTheMachinesOwnNetwork() async {
        // Here, where the loopback interface is up; inside, NetworkInsideTests builds the real one.
        await #expect(throws: NotInNamespace.self) { try await LabNetwork(topology: LabTopology()).start() }
    }
}
