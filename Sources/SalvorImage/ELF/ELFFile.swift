/// As much of an ELF file (64-bit, little-endian) as tells what must lie beside it in an image. Nothing is executed.
///
/// Every offset comes from the file and is checked against its length: a damaged file gives nil or nothing, not a trap.
package struct ELFFile: Sendable {
    private let bytes: [UInt8]
    private let sections: [Section]
    private let segments: [Segment]

    private struct Section: Sendable {
        var name: String
        var data: Range<Int>
    }

    private struct Segment: Sendable {
        var type: UInt32
        var data: Range<Int>
        var virtualAddress: UInt64
    }

    private static let dynamicSegment: UInt32 = 2
    private static let interpreterSegment: UInt32 = 3
    private static let loadSegment: UInt32 = 1

    /// - Returns: nil when `bytes` is no such file.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= 64, bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]) else { return nil }
        self.bytes = bytes
        segments = Self.readSegments(bytes)
        sections = Self.readSections(bytes)
    }

    /// The loader that the kernel starts in the program's stead; nil for libraries and static programs.
    package var interpreter: String? {
        segments.first { $0.type == Self.interpreterSegment }.flatMap { Self.string(bytes, at: $0.data.lowerBound) }
    }

    /// The libraries that the file names (`DT_NEEDED`), in its order.
    package var neededLibraries: [String] {
        guard let dynamic = segments.first(where: { $0.type == Self.dynamicSegment })?.data else { return [] }
        var names: [UInt64] = []
        var table: UInt64?
        for offset in stride(from: dynamic.lowerBound, to: dynamic.upperBound - 15, by: 16) {
            let value = Self.integer(bytes, at: offset + 8, as: UInt64.self)
            switch Self.integer(bytes, at: offset, as: UInt64.self) {
            case 0: break
            case 1: names.append(value)
            case 5: table = value
            default: continue
            }
        }
        guard let table, let base = fileOffset(of: table) else { return [] }
        return names.compactMap { name in
            name < UInt64(bytes.count) ? Self.string(bytes, at: base + Int(name)) : nil
        }
    }

    /// The bytes of the section of that name; empty when there is none.
    package func section(_ name: String) -> ArraySlice<UInt8> {
        sections.first { $0.name == name }.map { bytes[$0.data] } ?? []
    }

    private func fileOffset(of address: UInt64) -> Int? {
        for segment in segments where segment.type == Self.loadSegment && address >= segment.virtualAddress {
            let distance = address - segment.virtualAddress
            if distance < UInt64(segment.data.count) { return segment.data.lowerBound + Int(distance) }
        }
        return nil
    }

    private static func readSegments(_ bytes: [UInt8]) -> [Segment] {
        let size = Int(integer(bytes, at: 54, as: UInt16.self))
        guard size >= 56 else { return [] }
        return table(bytes, offsetAt: 32, size: size, countAt: 56).compactMap { header in
            guard
                let data = range(
                    bytes, integer(bytes, at: header + 8, as: UInt64.self),
                    integer(bytes, at: header + 32, as: UInt64.self))
            else { return nil }
            return Segment(
                type: integer(bytes, at: header, as: UInt32.self), data: data,
                virtualAddress: integer(bytes, at: header + 16, as: UInt64.self))
        }
    }

    private static func readSections(_ bytes: [UInt8]) -> [Section] {
        let size = Int(integer(bytes, at: 58, as: UInt16.self))
        guard size >= 64 else { return [] }
        let headers = table(bytes, offsetAt: 40, size: size, countAt: 60)
        let names = Int(integer(bytes, at: 62, as: UInt16.self))
        guard names < headers.count,
            let strings = range(
                bytes, integer(bytes, at: headers[names] + 24, as: UInt64.self),
                integer(bytes, at: headers[names] + 32, as: UInt64.self))
        else { return [] }
        return headers.compactMap { header in
            // SHT_NOBITS has a size but no bytes in the file.
            guard integer(bytes, at: header + 4, as: UInt32.self) != 8,
                let name = string(bytes, at: strings.lowerBound + Int(integer(bytes, at: header, as: UInt32.self))),
                let data = range(
                    bytes, integer(bytes, at: header + 24, as: UInt64.self),
                    integer(bytes, at: header + 32, as: UInt64.self))
            else { return nil }
            return Section(name: name, data: data)
        }
    }

    /// Offsets of the headers in a table whose offset and count the file header gives.
    private static func table(_ bytes: [UInt8], offsetAt: Int, size: Int, countAt: Int) -> [Int] {
        let offset = integer(bytes, at: offsetAt, as: UInt64.self)
        let count = Int(integer(bytes, at: countAt, as: UInt16.self))
        guard let whole = range(bytes, offset, UInt64(size * count)) else { return [] }
        return (0..<count).map { whole.lowerBound + $0 * size }
    }

    private static func range(_ bytes: [UInt8], _ offset: UInt64, _ size: UInt64) -> Range<Int>? {
        let limit = UInt64(bytes.count)
        guard offset <= limit, size <= limit - offset else { return nil }
        return Int(offset)..<Int(offset + size)
    }

    private static func integer<Value: FixedWidthInteger>(_ bytes: [UInt8], at offset: Int, as: Value.Type) -> Value {
        guard offset >= 0, offset + MemoryLayout<Value>.size <= bytes.count else { return 0 }
        return bytes.withUnsafeBytes { Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self)) }
    }

    private static func string(_ bytes: [UInt8], at offset: Int) -> String? {
        guard offset >= 0, offset < bytes.count, let end = bytes[offset...].firstIndex(of: 0) else { return nil }
        return String(decoding: bytes[offset..<end], as: UTF8.self)
    }
}
