import Testing

@testable import SalvorAgentCore

struct BadSectorTests {
    @Test func `a record of the kernel's log says which disk failed, where and when`() {
        let now =
            "3,412,5140900,-;I/O error, dev vdb, sector 178432 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2\n"
        #expect(
            BadSectors.failure(in: now)
                == .init(device: "vdb", sectors: 178_432..<178_440, time: 5_140_900))
        let old =
            "3,1,77,-,caller=T1;blk_update_request: I/O error, dev sdc, sector 0 op 0x1:(WRITE)\n SUBSYSTEM=block\n"
        #expect(BadSectors.failure(in: old) == .init(device: "sdc", sectors: 0..<8, time: 77))
        let medium = "2,9,8,-;critical medium error, dev sda, sector 16 op 0x0:(READ)\n"
        #expect(BadSectors.failure(in: medium)?.device == "sda")
        for other in [
            "", "6,1,2,-;usb 1-1: new device\n", "I/O error, dev vdb, sector 1",
            "3,1,x,-;I/O error, dev vdb, sector 1\n",
            "3,1,2,-;I/O error, dev vdb, sector x\n", "3,1,2,-;I/O error, dev vdb, sector 18446744073709551615\n",
            "3,1,2,-;I/O error, dev\n",
        ] {
            #expect(BadSectors.failure(in: other) == nil, "\(other)")
        }
    }

    @Test func `ranges are joined, other disks' are left out, and many are counted`() {
        func failure(_ device: String, _ first: UInt64) -> BadSectors.Failure {
            .init(device: device, sectors: first..<(first + 8), time: 0)
        }
        let one = [failure("vdb", 16), failure("vdb", 8), failure("vdc", 0), failure("vdb", 8)]
        #expect(
            BadSectors.sentence(one, on: ["/dev/vdb", "/dev/vdb1"])
                == "The kernel could not read or write /dev/vdb from byte 4096 on.")
        #expect(BadSectors.sentence(one, on: ["/dev/vdd"]) == "")
        let many = (0..<6).map { failure("vdb", UInt64($0) * 100) }
        #expect(BadSectors.sentence(many, on: ["/dev/vdb"]).hasSuffix(", nor at 2 more places."))
    }
}
