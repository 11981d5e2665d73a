import BootSectorGuests
import SalvorQEMU
import Testing

@Suite("QEMU's user-mode network")
struct UserNetworkTests {
    @Test("A connection counts when QEMU lists the guest's own answer to it")
    func established() {
        let table = UserNetworkConnections(
            """
            Hub 0 (net0):\r
              Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r
              TCP[ESTABLISHED]   15       127.0.0.1 40001       10.0.2.15    22     0     0\r
              TCP[SYN_SENT]      16       127.0.0.1 40002       10.0.2.15    23     0     0\r
              TCP[HOST_FORWARD]  12       127.0.0.1 40003       10.0.2.15    24     0     0\r
              TCP[HOST_FORWARD]  12       127.0.0.1 99999       10.0.2.15    24     0     0\r
              UDP[216 sec]       13       127.0.0.1 40004       10.0.2.15    25     0     0\r
            """)
        #expect(table.isEstablished(guestPort: 22, hostPort: 40001))
        #expect(!table.isEstablished(guestPort: 23, hostPort: 40002))
        #expect(!table.isEstablished(guestPort: 22, hostPort: 40002))
        #expect(!table.isEstablished(guestPort: 24, hostPort: 40003))
        #expect(table.tcp.count == 3)
        #expect(UserNetworkConnections("").tcp.isEmpty)
    }

    @Test(
        "A forward from any port that is free says which one it has, in a machine that is found again as well",
        .enabled(if: qemuInstalled, qemuReason))
    func forward() async throws {
        try await TestMachine.with(BootSector().printing("READY\n").halting()) { test in
            let machine = try await test.start(
                network: UserNetwork(hostForwards: [.toAnyFreePort(guestPort: 7443)]))
            let port = try await machine.hostPort(forwardedTo: 7443)
            #expect(port != 0)
            await #expect(throws: QEMUError(.failed, "")) { try await machine.hostPort(forwardedTo: 22) }
            machine.monitor.close()
            let found = try #require(try await QEMUMachine.find(in: machine.folder))
            #expect(try await found.hostPort(forwardedTo: 7443) == port)
        }
    }
}
