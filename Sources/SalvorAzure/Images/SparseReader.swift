import CLinux
import Glibc
import SystemPackage

/// Reads a file with holes. Blocking.
struct SparseReader: Sendable {
    private let path: FilePath

    init(_ path: FilePath) { self.path = path }

    var size: Int64 {
        get throws {
            let file = try FileDescriptor.open(path, .readOnly)
            defer { try? file.close() }
            return try file.seek(offset: 0, from: .end)
        }
    }

    /// Ranges that hold data, none longer than `step` and none across a multiple of it, whole sectors of 512 bytes.
    func ranges(step: Int) throws -> [Range<Int64>] {
        let file = try FileDescriptor.open(path, .readOnly)
        defer { try? file.close() }
        let end = try file.seek(offset: 0, from: .end)
        var ranges: [Range<Int64>] = []
        var position: Int64 = 0
        while position < end {
            let data = salvor_seek_data(file.rawValue, position)
            if data < 0 {
                if errno == ENXIO { break }
                throw Errno(rawValue: errno)
            }
            let hole = salvor_seek_hole(file.rawValue, data)
            guard hole > data else { throw Errno(rawValue: errno) }
            var start = Int64(data) / 512 * 512
            let stop = min(end, (Int64(hole) + 511) / 512 * 512)
            if let last = ranges.last, last.upperBound > start { start = last.upperBound }
            while start < stop {
                let next = min(stop, (start / Int64(step) + 1) * Int64(step))
                ranges.append(start..<next)
                start = next
            }
            position = max(stop, Int64(hole))
        }
        return ranges
    }

    func read(_ range: Range<Int64>) throws -> [UInt8] {
        let file = try FileDescriptor.open(path, .readOnly)
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: range.count)
        var done = 0
        while done < bytes.count {
            let count = try bytes.withUnsafeMutableBytes { buffer in
                try file.read(
                    fromAbsoluteOffset: range.lowerBound + Int64(done),
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
            }
            guard count > 0 else { throw Errno.ioError }
            done += count
        }
        return bytes
    }
}
