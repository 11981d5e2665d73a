internal import SalvorJSON

/// What QEMU's user-mode network has open, as its monitor lists it: `  TCP[HOST_FORWARD]  12  127.0.0.1  40123  10.0.2.15
/// 7443  0  0` on one line, which is state, descriptor, source, its port, destination, its port, and bytes that wait.
package struct UserNetworkConnections: Sendable {
    package struct Connection: Hashable, Sendable {
        package var state: Substring
        /// A port of this computer, where the guest was dialled through a forward.
        package var sourcePort: UInt16
        package var destinationPort: UInt16
    }

    package let tcp: [Connection]

    package init(_ table: String) {
        tcp = table.split(whereSeparator: \.isNewline).compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count >= 6, fields[0].hasPrefix("TCP["), fields[0].hasSuffix("]"),
                let source = UInt16(fields[3]), let destination = UInt16(fields[5])
            else { return nil }
            return Connection(
                state: fields[0].dropFirst(4).dropLast(), sourcePort: source, destinationPort: destination)
        }
    }

    /// Through a forward of this computer's `hostPort`, and accepted by the guest.
    package func isEstablished(guestPort: Int, hostPort: Int) -> Bool {
        tcp.contains {
            $0.state == "ESTABLISHED" && Int($0.sourcePort) == hostPort && Int($0.destinationPort) == guestPort
        }
    }
}

extension QMPClient {
    package func userNetworkConnections() async throws(QEMUError) -> UserNetworkConnections {
        let answer = try await execute("human-monitor-command", ["command-line": "info usernet"])
        return UserNetworkConnections(answer.string ?? "")
    }
}

extension QEMUMachine {
    /// The port of 127.0.0.1 that leads to one of the guest's.
    /// - Throws: ``QEMUError/Code/failed`` where none does.
    package func hostPort(forwardedTo guestPort: Int) async throws(QEMUError) -> UInt16 {
        let forward = try await monitor.userNetworkConnections().tcp.first {
            $0.state == "HOST_FORWARD" && Int($0.destinationPort) == guestPort
        }
        guard let forward else {
            throw QEMUError(.failed, "No port of 127.0.0.1 leads to port \(guestPort) of the guest in \(folder.path).")
        }
        return forward.sourcePort
    }
}
