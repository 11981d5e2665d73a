import Glibc
package import SystemPackage

/// The descriptor inside a sparse VMDK (VMware, Virtual Disk Format 5.0): text, in sectors that the header names.
package enum VMDKDescriptor {
    private static let sectorBytes: UInt64 = 512
    /// A descriptor is a page of text; QEMU and VMware give it 20 sectors.
    private static let mostSectors: UInt64 = 2048

    /// Makes the descriptor name the file that it is in, after that was copied or renamed: readers other than QEMU look
    /// for the disk's content by that name.
    /// - Throws: ``QEMUError/Code/imageFailed`` where there is no descriptor, or not exactly one extent in it.
    package static func nameExtent(of file: FilePath, _ name: String) throws(QEMUError) {
        do {
            let descriptor = try FileDescriptor.open(file, .readWrite)
            try descriptor.closeAfter { try nameExtent(of: descriptor, name) }
        } catch let error as QEMUError {
            throw error
        } catch {
            throw QEMUError(.fileFailed, "The descriptor of \(file) cannot be changed.", cause: error)
        }
    }

    private static func nameExtent(of file: FileDescriptor, _ name: String) throws {
        let header = try read(file, at: 0, count: 44)
        guard header.starts(with: "KDMV".utf8) else {
            throw QEMUError(.imageFailed, "it is no sparse VMDK in one file")
        }
        let offset = number(header[28..<36])
        let sectors = number(header[36..<44])
        guard offset > 0, offset < 1 << 32, (1...mostSectors).contains(sectors) else {
            throw QEMUError(.imageFailed, "its header names no descriptor")
        }
        let old = try read(file, at: offset * sectorBytes, count: Int(sectors * sectorBytes))
        let text = String(decoding: old.prefix { $0 != 0 }, as: UTF8.self)
        var extents = 0
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
            guard let quote = line.firstIndex(of: "\""), line[..<quote].contains(" SPARSE ") else {
                return String(line)
            }
            extents += 1
            return line[..<quote] + "\"\(name)\""
        }
        guard extents == 1 else { throw QEMUError(.imageFailed, "its descriptor names \(extents) sparse extents") }
        var new = Array(lines.joined(separator: "\n").utf8)
        guard new.count <= old.count else { throw QEMUError(.imageFailed, "its descriptor has no room for its name") }
        new += [UInt8](repeating: 0, count: old.count - new.count)
        try file.writeAll(toAbsoluteOffset: Int64(offset * sectorBytes), new)
        guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
    }

    private static func read(_ file: FileDescriptor, at offset: UInt64, count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = try bytes.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: Int64(offset), into: $0) }
        guard read == count else { throw QEMUError(.imageFailed, "it ends within its descriptor") }
        return bytes
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
