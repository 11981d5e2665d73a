import Glibc
import SalvorQEMU
internal import SalvorSystem
import SystemPackage

/// Sees whether the guest accepts connections on a port.
///
/// QEMU's network accepts on the host's side before it has asked the guest, so that a connection alone proves nothing:
/// what counts is that QEMU lists it as established, which takes the guest's own answer.
struct TCPProbe: Sendable {
    let monitor: QMPClient
    let guestPort: Int
    let hostPort: Int
    private static let pause: Duration = .milliseconds(200)
    private static let patience: Duration = .seconds(3)

    /// - Returns: nil when cancelled.
    func ready() async -> BootOutcome? {
        while !Task.isCancelled {
            let descriptor = await Blocking.run { [hostPort] in LoopbackPort.connect(hostPort) }
            if let descriptor {
                let isEstablished = await becomesEstablished(descriptor)
                close(descriptor)
                if isEstablished { return .ready("TCP port \(guestPort) accepts connections") }
            }
            try? await Task.sleep(for: Self.pause)
        }
        return nil
    }

    /// Keeps one attempt up for a while instead of making many: a guest that is still starting gets all of them later.
    private func becomesEstablished(_ descriptor: Int32) async -> Bool {
        let deadline = ContinuousClock.now + Self.patience
        while !Task.isCancelled, ContinuousClock.now < deadline {
            if await isEstablished() { return true }
            // A connection that the guest refuses is closed on this side too.
            if LoopbackPort.isClosed(descriptor) { return false }
            try? await Task.sleep(for: Self.pause)
        }
        return false
    }

    private func isEstablished() async -> Bool {
        let connections = try? await monitor.userNetworkConnections()
        return connections?.isEstablished(guestPort: guestPort, hostPort: hostPort) ?? false
    }
}

/// Ports of 127.0.0.1. Everything here returns at once: nothing leaves the machine.
enum LoopbackPort {
    /// A port that nobody listens on now.
    static func free() throws(Errno) -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        defer { close(descriptor) }
        var address = address(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard result == 0 else { throw Errno(rawValue: errno) }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// - Returns: a connected socket, or nil where nobody listens.
    static func connect(_ port: Int) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var address = address(port: port)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// True when the other side has closed a connection.
    static func isClosed(_ descriptor: Int32) -> Bool {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        return count == 0 || (count < 0 && errno != EAGAIN)
    }

    private static func address(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(clamping: port).bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        return address
    }
}
