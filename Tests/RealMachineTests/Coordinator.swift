import Glibc
import SalvorSystem
import Testing

/// Stands where the coordinator would, and looks at the first bytes of whoever calls.
final class Coordinator: Sendable {
    let port: Int
    private let listener: Int32

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        try #require(isListening)
        port = Int(UInt16(bigEndian: place.sin_port))
    }

    /// Those of the first connection that says anything; none once it was stopped, or when the caller has waited enough.
    func firstBytes() async -> [UInt8] {
        await withTaskCancellationHandler {
            await Blocking.run { [listener] in
                while true {
                    let connection = accept(listener, nil, nil)
                    guard connection >= 0 else { return [] }
                    defer { close(connection) }
                    var bytes = [UInt8](repeating: 0, count: 64)
                    let count = recv(connection, &bytes, bytes.count, 0)
                    if count > 0 { return Array(bytes.prefix(count)) }
                }
            }
        } onCancel: {
            stop()
        }
    }

    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    deinit { close(listener) }
}
