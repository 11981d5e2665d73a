internal import Foundation
internal import SalvorAudit
internal import SalvorSystem

/// What was collected from a machine as one archive with the files' own names: POSIX pax, which every tar and 7-Zip reads.
enum QuarantineArchive {
    static let name = "collected.tar"
    private static let block = 512

    /// Writes the archive beside the files. Blocking.
    /// - Returns: its path.
    static func make(_ files: [QuarantineManifest.File], in folder: String) throws(CoordinatorError) -> String {
        let path = "\(folder)/\(name)"
        let partial = "\(path).partial"
        do {
            _ = FileManager.default.createFile(
                atPath: partial, contents: nil, attributes: [.posixPermissions: 0o600])
            let output = try FileHandle(forWritingTo: URL(fileURLWithPath: partial))
            defer { try? output.close() }
            for file in files {
                try output.write(contentsOf: header(of: file))
                let input = try FileHandle(forReadingFrom: URL(fileURLWithPath: "\(folder)/\(file.storedAs)"))
                defer { try? input.close() }
                while let chunk = try input.read(upToCount: 1 << 20), !chunk.isEmpty {
                    try output.write(contentsOf: chunk)
                }
                try output.write(contentsOf: padding(file.sizeBytes))
            }
            try output.write(contentsOf: Data(count: 2 * block))
            try output.synchronize()
            guard rename(partial, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
            return path
        } catch {
            unlink(partial)
            throw CoordinatorError(
                .noSpace, "The archive \(path) cannot be written. The files themselves are in that folder.",
                nextStep: "Make room, and collect again.", cause: error)
        }
    }

    /// An extended header with what the old one has no room for, then the old one. Names are the guest's: what leads out of
    /// a folder that a careless reader unpacks into is taken from them.
    private static func header(of file: QuarantineManifest.File) -> Data {
        let components = ["volume-\(file.volumeNumber)"] + file.path.components.map(safe)
        let path = components.joined(separator: "/")
        let seconds = Int64(file.times.modified.intervals / 10_000_000) - 11_644_473_600
        var records = Data()
        records.append(record("path", path))
        records.append(record("size", "\(file.sizeBytes)"))
        records.append(record("mtime", "\(seconds)"))
        var whole = plain(name: "pax/header", size: UInt64(records.count), type: "x")
        whole.append(records)
        whole.append(padding(UInt64(records.count)))
        let short = String(path.unicodeScalars.map { $0.isASCII ? Character($0) : "_" }.suffix(100))
        // A size that eight octal digits too few could hold is in the extended header alone.
        whole.append(plain(name: short, size: file.sizeBytes < 1 << 33 ? file.sizeBytes : 0, type: "0"))
        return whole
    }

    private static func safe(_ component: String) -> String {
        let text = String(
            component.unicodeScalars.map { $0 == "/" || $0.value < 0x20 || $0.value == 0x7F ? "_" : Character($0) })
        return text == "." || text == ".." ? "_" : text
    }

    /// "LENGTH KEY=VALUE\n", where LENGTH counts itself.
    private static func record(_ key: String, _ value: String) -> Data {
        let rest = " \(key)=\(value)\n".utf8.count
        var length = rest + String(rest).count
        if rest + String(length).count != length { length = rest + String(length).count }
        return Data("\(length) \(key)=\(value)\n".utf8)
    }

    private static func plain(name: String, size: UInt64, type: String) -> Data {
        var header = [UInt8](repeating: 0, count: block)
        func put(_ text: String, _ offset: Int) {
            for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
        }
        func octal(_ number: UInt64, _ digits: Int) -> String {
            let text = String(number, radix: 8)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        put(name, 0)
        put(octal(0o600, 7), 100)
        put(octal(0, 7), 108)
        put(octal(0, 7), 116)
        put(octal(size, 11), 124)
        put(octal(0, 11), 136)
        put("        ", 148)
        put(type, 156)
        put("ustar", 257)
        put("00", 263)
        put(octal(header.reduce(0) { $0 + UInt64($1) }, 6), 148)
        header[154] = 0
        return Data(header)
    }

    private static func padding(_ size: UInt64) -> Data { Data(count: Int((512 - size % 512) % 512)) }
}
