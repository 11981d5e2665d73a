import SystemPackage

/// The kept answer of a probe: line 1 the key, line 2 `kvm` or `tcg`, line 3 the reason.
enum AccelerationCache {
    static func read(_ file: FilePath?, key: String) -> Acceleration? {
        guard let file, let bytes = try? PosixFile.read(file, limit: 4096) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 3, lines[0] == key else { return nil }
        return switch lines[1] {
        case "kvm": .kvm
        case "tcg": .tcg(reason: String(lines[2]))
        default: nil
        }
    }

    /// A cache that cannot be written costs time, nothing else.
    static func write(_ answer: Acceleration, key: String, to file: FilePath?) {
        guard let file else { return }
        let reason =
            switch answer {
            case .kvm: ""
            case .tcg(let reason): String(reason.map { $0.isNewline ? " " : $0 })
            }
        _ = try? PosixFile.makeFolder(file.removingLastComponent())
        _ = try? PosixFile.writeAtomically("\(key)\n\(answer.name)\n\(reason)\n".utf8, to: file)
    }
}
