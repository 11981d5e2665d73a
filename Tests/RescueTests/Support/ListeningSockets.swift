import Glibc
import SalvorImage
import SystemPackage

/// A TCP socket of IPv4 or IPv6 that waits for connections.
struct ListeningSocket: Hashable, Sendable {
    var isLoopback: Bool
    var port: UInt16
}

/// The listening sockets of a process, as /proc shows them.
enum ListeningSockets {
    static func of(process pid: Int32) -> [ListeningSocket] {
        let folder = "/proc/\(pid)/fd"
        let own = Set(((try? Posix.names(in: FilePath(folder))) ?? []).compactMap { link("\(folder)/\($0)") })
        return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { table -> [ListeningSocket] in
            let text = (try? Posix.read(FilePath(table))).map { String(decoding: $0, as: UTF8.self) } ?? ""
            return text.split(separator: "\n").compactMap { line in
                // Number, own address, peer, state, queues, timer, retransmits, user, timeout, inode.
                let fields = line.split(separator: " ")
                guard fields.count > 9, fields[3] == "0A", own.contains("socket:[\(fields[9])]") else { return nil }
                let address = fields[1].split(separator: ":")
                guard address.count == 2, let port = UInt16(address[1], radix: 16) else { return nil }
                return ListeningSocket(isLoopback: address[0] == "0100007F", port: port)
            }
        }
    }

    private static func link(_ path: String) -> String? {
        var target = [CChar](repeating: 0, count: 256)
        let count = readlink(path, &target, target.count - 1)
        return count > 0 ? String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}

extension ListeningSocket {
    /// What whoever answers says to one who dials and says nothing, until the connection is ended.
    func answerToSilence() async throws -> String {
        try await Command.run(
            "/usr/bin/socat", ["-u", "TCP4:127.0.0.1:\(port)", "STDOUT"], timeout: .seconds(60)
        ).output
    }
}
