import CHivex
import Glibc
import SalvorImage
import SystemPackage

/// Makes registry hives: an empty one by hand, as the “Windows registry file format specification” of Maxim Suhanov lays it
/// out, and what is in it by libhivex.
package enum HiveMaker {
    package enum Value: Sendable {
        case text(String)
        case texts([String])
        case number(UInt32)
        case binary([UInt8])
    }

    /// By the path of a key, with backslashes: its values by name. A key without values is made too.
    package typealias Keys = [String: [String: Value]]

    private static let baseBytes = 4096

    /// A closed hive.
    package static func make(_ keys: Keys) throws -> [UInt8] {
        let path = FilePath("/tmp/salvor-hive-\(UInt64.random(in: 0 ... .max))")
        defer { Posix.removeTree(path) }
        try Posix.write(empty, to: path)
        guard let hive = hivex_open(path.string, Int32(HIVEX_OPEN_WRITE)) else { throw failure("open a hive") }
        defer { hivex_close(hive) }
        for (path, values) in keys.sorted(by: { $0.key < $1.key }) {
            let node = try node(path, hive)
            for (name, value) in values.sorted(by: { $0.key < $1.key }) { try set(name, value, node, hive) }
        }
        guard hivex_commit(hive, path.string, 0) == 0 else { throw failure("write a hive") }
        return try Posix.read(path)
    }

    /// A hive whose last changes are only in its log, as a machine leaves it that stops.
    /// - Returns: the hive as `before` with a write begun, and the log that makes `after` of it.
    package static func interrupted(before: Keys, after: Keys) throws -> (hive: [UInt8], log: [UInt8]) {
        var hive = try make(before)
        let wanted = try make(after)
        let sequence: UInt32 = 7
        hive.put(sequence + 1, at: 4)
        hive.put(sequence, at: 8)
        hive.put(checksum(hive), at: 508)
        var pages: [(offset: Int, bytes: ArraySlice<UInt8>)] = []
        for start in stride(from: baseBytes, to: wanted.count, by: 4096) {
            let page = wanted[start..<min(start + 4096, wanted.count)]
            if start + page.count > hive.count || !hive[start..<(start + page.count)].elementsEqual(page) {
                pages.append((start - baseBytes, page))
            }
        }
        return (hive, log(pages, sequence: sequence, binsBytes: wanted.count - baseBytes))
    }

    /// A log of Windows 8.1 and later, with one entry.
    private static func log(
        _ pages: [(offset: Int, bytes: ArraySlice<UInt8>)], sequence: UInt32, binsBytes: Int
    ) -> [UInt8] {
        var head = [UInt8](repeating: 0, count: 512)
        head.put("regf".utf8, at: 0)
        head.put(sequence, at: 4)
        head.put(sequence, at: 8)
        head.put(UInt32(1), at: 20)
        head.put(UInt32(5), at: 24)
        head.put(UInt32(6), at: 28)
        head.put(UInt32(1), at: 32)
        head.put(UInt32(0x20), at: 36)
        head.put(UInt32(binsBytes), at: 40)
        head.put(UInt32(1), at: 44)
        head.put(checksum(head), at: 508)
        var entry = [UInt8](repeating: 0, count: 40 + 8 * pages.count)
        for (index, page) in pages.enumerated() {
            entry.put(UInt32(page.offset), at: 40 + 8 * index)
            entry.put(UInt32(page.bytes.count), at: 44 + 8 * index)
        }
        for page in pages { entry += page.bytes }
        entry += [UInt8](repeating: 0, count: (512 - entry.count % 512) % 512)
        entry.put("HvLE".utf8, at: 0)
        entry.put(UInt32(entry.count), at: 4)
        entry.put(sequence, at: 12)
        entry.put(UInt32(binsBytes), at: 16)
        entry.put(UInt32(pages.count), at: 20)
        entry.put(marvin(Array(entry[40...])), at: 24)
        entry.put(marvin(Array(entry[..<32])), at: 32)
        return head + entry
    }

    // MARK: By libhivex

    private static func node(_ path: String, _ hive: OpaquePointer) throws -> hive_node_h {
        var node = hivex_root(hive)
        for name in path.split(separator: "\\") {
            let known = hivex_node_get_child(hive, node, String(name))
            node = known != 0 ? known : hivex_node_add_child(hive, node, String(name))
            guard node != 0 else { throw failure("add the key \(path)") }
        }
        return node
    }

    private static func set(_ name: String, _ value: Value, _ node: hive_node_h, _ hive: OpaquePointer) throws {
        func utf16(_ text: String) -> [UInt8] {
            (Array(text.utf16) + [0]).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        }
        let (type, bytes): (hive_type, [UInt8]) =
            switch value {
            case .text(let text): (hive_t_REG_SZ, utf16(text))
            case .texts(let texts): (hive_t_REG_MULTI_SZ, texts.flatMap(utf16) + [0, 0])
            case .number(let number):
                (hive_t_REG_DWORD, (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) })
            case .binary(let bytes): (hive_t_REG_BINARY, bytes)
            }
        var data = bytes.map { CChar(bitPattern: $0) }
        let result = name.withCString { key in
            data.withUnsafeMutableBufferPointer { data in
                var value = hive_set_value(
                    key: UnsafeMutablePointer(mutating: key), t: type, len: data.count, value: data.baseAddress)
                return hivex_node_set_value(hive, node, &value, 0)
            }
        }
        guard result == 0 else { throw failure("set the value \(name)") }
    }

    private static func failure(_ what: String) -> FixtureError {
        FixtureError("libhivex could not \(what): \(String(cString: strerror(errno)))")
    }

    // MARK: By hand

    /// A base block, and one bin with a root key and its security descriptor.
    private static let empty: [UInt8] = {
        var bytes = [UInt8](repeating: 0, count: 2 * baseBytes)
        bytes.put("regf".utf8, at: 0)
        bytes.put(UInt32(1), at: 4)
        bytes.put(UInt32(1), at: 8)
        bytes.put(NTFSTime.utc(2023, 11, 4), at: 12)
        bytes.put(UInt32(1), at: 20)
        bytes.put(UInt32(5), at: 24)
        bytes.put(UInt32(1), at: 32)
        bytes.put(UInt32(0x20), at: 36)
        bytes.put(UInt32(4096), at: 40)
        bytes.put(UInt32(1), at: 44)
        bytes.put("hbin".utf8, at: 4096)
        bytes.put(UInt32(4096), at: 4096 + 8)

        let none = UInt32.max
        let root = 4096 + 0x20
        let security = root + 0x60
        bytes.put(UInt32(bitPattern: -0x60), at: root)
        bytes.put("nk".utf8, at: root + 4)
        bytes.put(UInt16(0x2C), at: root + 6)
        bytes.put(NTFSTime.utc(2023, 11, 4), at: root + 8)
        for offset in [32, 36, 44, 52] { bytes.put(none, at: root + offset) }
        bytes.put(UInt32(security - 4096), at: root + 48)
        bytes.put(UInt16(4), at: root + 76)
        bytes.put("ROOT".utf8, at: root + 80)
        bytes.put(UInt32(bitPattern: -0x30), at: security)
        bytes.put("sk".utf8, at: security + 4)
        bytes.put(UInt32(security - 4096), at: security + 8)
        bytes.put(UInt32(security - 4096), at: security + 12)
        bytes.put(UInt32(1), at: security + 16)
        bytes.put(UInt32(20), at: security + 20)
        bytes.put(UInt8(1), at: security + 24)
        bytes.put(UInt16(0x8000), at: security + 26)
        let free = security + 0x30
        bytes.put(UInt32(8192 - free), at: free)
        bytes.put(checksum(bytes), at: 508)
        return bytes
    }()

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        let sum = stride(from: 0, to: 508, by: 4).reduce(UInt32(0)) { $0 ^ bytes.get($1, as: UInt32.self) }
        return sum == 0 ? 1 : sum == .max ? .max - 1 : sum
    }

    /// Marvin32, over whole words.
    private static func marvin(_ bytes: [UInt8]) -> UInt64 {
        var low: UInt32 = 0x7A4E_55C5
        var high: UInt32 = 0x82EF_4D88
        func rotate(_ value: UInt32, _ by: UInt32) -> UInt32 { value << by | value >> (32 - by) }
        let words = stride(from: 0, to: bytes.count, by: 4).map { bytes.get($0, as: UInt32.self) }
        for word in words + [0x80, 0] {
            low = low &+ word
            high ^= low
            low = rotate(low, 20) &+ high
            high = rotate(high, 9) ^ low
            low = rotate(low, 27) &+ high
            high = rotate(high, 19)
        }
        return UInt64(high) << 32 | UInt64(low)
    }
}
