import CLinux
import FoundationEssentials
import Glibc
import Logging
import SalvorDigest
import Subprocess
import SystemPackage
import Testing

@testable import SalvorAgentCore

/// What tests on real volumes need of the machine.
let canMountNTFS =
    geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0
    && ["/usr/sbin/mkntfs", "/usr/bin/ntfs-3g", "/usr/bin/ntfs-3g.probe"].allSatisfy { (path: String) in
        access(path, X_OK) == 0
    }
let whyNotMountNTFS: Comment = "needs root, /dev/fuse and the package ntfs-3g"

/// A directory of one test, gone afterwards.
final class Scratch: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/salvor-agent-tests-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    var mounter: VolumeMounter {
        VolumeMounter(tools: AgentTools(), mountRoot: "\(path)/mnt", logger: Logger(label: "test"))
    }

    /// What is mounted below this directory.
    func mounts() throws -> [String] {
        try MountTable.current().entries.map(\.mountPoint).filter { $0.hasPrefix(path + "/") }
    }
}

/// A small NTFS volume in a file, made by mkntfs and filled through ntfs-3g.
struct NTFSImage: Sendable {
    let path: String
    let scratch: Scratch

    /// A faulty channel file's last-write time: 2024-07-19T04:09:12.3456789Z.
    static let faultyTime: UInt64 = 133_658_357_523_456_789
    /// A corrected one's: 2024-07-19T05:27:41.9876543Z.
    static let correctedTime: UInt64 = 133_658_404_619_876_543

    init(in scratch: Scratch, name: String = "volume.img", megabytes: Int = 16) async throws {
        self.scratch = scratch
        path = "\(scratch.path)/\(name)"
        let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_EXCL)
        try #require(ftruncate(file.number, megabytes << 20) == 0)
        let result = try await runTool("/usr/sbin/mkntfs", ["-Q", "-F", "-q", "-L", "Windows", path])
        try #require(result.exitCode == 0, "\(result.complaint)")
    }

    func digest() throws -> Digest { try SHA256.digest(ofFile: path) }

    /// Runs `body` with the volume mounted read-write.
    func change(_ body: @Sendable (VolumeEditor) throws -> Void) async throws {
        let mounted = try await scratch.mounter.mount(path, .repair(resetLog: false))
        let result = Result { try body(VolumeEditor(root: mounted.mountPoint)) }
        try await mounted.unmount()
        try result.get()
    }

    /// Overwrites bytes of the image.
    func write(_ bytes: [UInt8], at offset: Int) throws {
        let file = try Descriptor.open(path, O_RDWR)
        try #require(pwrite(file.number, bytes, bytes.count, off_t(offset)) == bytes.count)
    }

    func truncate(toMegabytes megabytes: Int) throws {
        try #require(Glibc.truncate(path, megabytes << 20) == 0)
    }
}

/// Changes a mounted volume the way Windows or an enemy would.
struct VolumeEditor: Sendable {
    let root: String

    func folder(_ path: String) throws {
        var made = root
        for part in path.split(separator: "/") {
            made += "/\(part)"
            try #require(mkdir(made, 0o755) == 0 || errno == EEXIST, "mkdir \(made): \(errno)")
        }
    }

    func file(_ path: String, _ bytes: [UInt8], modified: UInt64? = nil) throws {
        if let slash = path.lastIndex(of: "/") { try folder(String(path[..<slash])) }
        do {
            let file = try Descriptor.open("\(root)/\(path)", O_WRONLY | O_CREAT | O_TRUNC)
            try #require(Glibc.write(file.number, bytes, bytes.count) == bytes.count)
        }
        guard let modified else { return }
        let times = [modified - 3, modified, modified + 5].flatMap { time in
            (0..<8).map { UInt8(truncatingIfNeeded: time >> (8 * $0)) }
        }
        try #require(setxattr("\(root)/\(path)", "system.ntfs_times", times, times.count, 0) == 0, "\(errno)")
    }

    /// FILE_ATTRIBUTE_* bits.
    func attributes(_ path: String, _ bits: UInt32) throws {
        let bytes = littleEndian(UInt64(bits), 4)
        try #require(setxattr("\(root)/\(path)", "system.ntfs_attrib", bytes, 4, 0) == 0, "\(errno)")
    }

    func remove(_ path: String) throws { try #require(unlink("\(root)/\(path)") == 0) }

    func link(_ path: String, to target: String) throws {
        if let slash = path.lastIndex(of: "/") { try folder(String(path[..<slash])) }
        try #require(symlink(target, "\(root)/\(path)") == 0)
    }

    /// A directory junction, as `mklink /j` makes it.
    func junction(_ path: String, to target: String) throws {
        try folder(path)
        let substitute = Array("\\??\\\(target)".utf16)
        let units = substitute + [0] + Array(target.utf16) + [0]
        let bytes = units.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        func little(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        // REPARSE_DATA_BUFFER: tag, length, reserved, then offset and length of the two names.
        let header: [UInt8] =
            little(0xA000_0003, 4) + little(8 + bytes.count, 2) + little(0, 2)
            + little(0, 2) + little(2 * substitute.count, 2)
            + little(2 * substitute.count + 2, 2) + little(2 * target.utf16.count, 2)
        let data = header + bytes
        try #require(setxattr("\(root)/\(path)", "system.ntfs_reparse_data", data, data.count, 0) == 0, "\(errno)")
    }

    /// A volume that Windows hibernated on.
    func hibernate() throws {
        try file("hiberfil.sys", Array("hibr".utf8) + [UInt8](repeating: 0, count: 8192))
    }

    func exists(_ path: String) -> Bool { access("\(root)/\(path)", F_OK) == 0 }
}

extension NTFSImage {
    /// Leaves the log as a machine that stopped in a bugcheck leaves it: in use, and not closed.
    /// - Parameter version: of the log: 1 as Windows 7 keeps it, 2 as Windows 8 and later do while the volume is in use.
    func openLog(version: UInt64 = 1) throws {
        let (offset, size) = try logFile()
        var page = [UInt8](repeating: 0, count: 4096)
        func put(_ value: UInt64, _ count: Int, at position: Int) {
            for index in 0..<count { page[position + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))) }
        }
        page.replaceSubrange(0..<4, with: Array("RSTR".utf8))
        put(0x1E, 2, at: 4)  // update sequence array …
        put(9, 2, at: 6)  // … of one number and eight sectors
        put(4096, 4, at: 16)  // system page
        put(4096, 4, at: 20)  // log page
        put(0x30, 2, at: 24)  // restart area
        put(version == 1 ? 1 : 0, 2, at: 26)  // version 1.1 or 2.0
        put(version, 2, at: 28)
        let area = 0x30
        put(1, 2, at: area + 8)  // one client
        put(0xFFFF, 2, at: area + 10)  // none free
        put(0, 2, at: area + 12)  // client 0 in use, and the clean flag not set
        let bits = UInt64(64 - size.leadingZeroBitCount)
        put(67 - bits, 4, at: area + 16)
        put(0x30 + 0xA0, 2, at: area + 20)
        put(0x30, 2, at: area + 22)
        put(UInt64(size), 8, at: area + 24)
        put(0x30, 2, at: area + 36)
        put(0x40, 2, at: area + 38)
        let client = area + 0x30
        put(0xFFFF, 2, at: client + 16)
        put(0xFFFF, 2, at: client + 18)
        put(8, 4, at: client + 28)
        for (index, byte) in "NTFS".utf8.enumerated() { page[client + 32 + 2 * index] = byte }
        // Fixups: the last two bytes of each sector are the sequence number, and their own are kept in the array.
        put(1, 2, at: 0x1E)
        for sector in 1...8 {
            page[0x1E + 2 * sector] = page[512 * sector - 2]
            page[0x1F + 2 * sector] = page[512 * sector - 1]
            put(1, 2, at: 512 * sector - 2)
        }
        try write(page + page, at: offset)
    }

    /// Sets flags of the volume, in the record of $Volume and in its mirror: by default the one by which Windows knows that
    /// it has to run chkdsk.
    func setFlags(_ bits: NTFSVolumeFlags = .dirty) throws {
        let image = try #require(contents(ofFile: path, limit: 1 << 26))
        let cluster = Int(littleEndian(image[0x0B..<0x0D])) * Int(image[0x0D])
        for table in [0x30, 0x38] {
            let record = Int(littleEndian(image[table..<table + 8])) * cluster + 3 * 1024
            var attribute = record + Int(littleEndian(image[(record + 0x14)..<(record + 0x16)]))
            while image[attribute] != 0x70 {
                attribute += Int(littleEndian(image[(attribute + 4)..<(attribute + 8)]))
            }
            let flags = attribute + Int(littleEndian(image[(attribute + 20)..<(attribute + 22)])) + 10
            try write(
                [image[flags] | UInt8(bits.rawValue & 0xFF), image[flags + 1] | UInt8(bits.rawValue >> 8)], at: flags)
        }
    }

    /// Leaves both restart pages half written.
    func tearLog() throws {
        let offset = try logFile().offset
        for page in [0, 4096] { try write([0x77, 0x77], at: offset + page + 512 * 3 - 2) }
    }

    /// Where a record of the master file table begins.
    func recordOffset(_ number: Int) throws -> Int {
        let image = try #require(contents(ofFile: path, limit: 1 << 26))
        return Int(littleEndian(image[0x30..<0x38])) * Int(littleEndian(image[0x0B..<0x0D])) * Int(image[0x0D])
            + number * 1024
    }

    /// Where $LogFile lies.
    private func logFile() throws -> (offset: Int, size: Int) { try systemFile(2) }

    /// Where the data of a system file begins, by the number of its MFT record, and its size.
    func systemFile(_ index: Int) throws -> (offset: Int, size: Int) {
        let image = try #require(contents(ofFile: path, limit: 1 << 26))
        func number(_ position: Int, _ count: Int) -> Int { Int(littleEndian(image[position..<position + count])) }
        let cluster = number(0x0B, 2) * number(0x0D, 1)
        let record = number(0x30, 8) * cluster + index * 1024
        var attribute = record + number(record + 0x14, 2)
        while number(attribute, 4) != 0x80 { attribute += number(attribute + 4, 4) }
        let run = attribute + number(attribute + 0x20, 2)
        let lengthBytes = number(run, 1) & 0xF
        return (number(run + 1 + lengthBytes, number(run, 1) >> 4) * cluster, number(attribute + 0x30, 8))
    }
}

extension VolumeTree {
    /// Names in a directory, in the file system's order.
    func names(in directory: [FileName]) throws(AgentError) -> [FileName] {
        var names: [FileName] = []
        try forEachName(in: directory) {
            names.append($0)
            return true
        }
        return names
    }
}
