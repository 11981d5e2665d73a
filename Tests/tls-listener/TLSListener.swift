import ArgumentParser
import Foundation
import NIOCore
import NIOPosix
import SalvorTransport

/// A coordinator's listener without a coordinator behind it, for peers that are not in Swift. What becomes of each
/// connection is a line on standard output, which begins with the peer's address:
///
///     port 40001
///     ipv4:127.0.0.1:51812 accepted salvor://run-1/host/rescue-1
///     ipv4:127.0.0.1:51812 ended truncated: the connection ended in the middle: …
///     ipv4:127.0.0.1:51814 refused no common protocol: …
@main
struct TLSListener: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tls-listener", abstract: "Listen as a run's coordinator does, until standard input ends.")

    @Argument(help: "A folder that is there: the run's new authority is kept in it, as authority.pem, for you alone.")
    var folder: String

    @Option(help: "The run's name.")
    var run = "run-1"

    // A peer in a debugger, or on a machine that is busy, is no test of this time; the test of it sets its own.
    @Option(help: "How long a peer may take to get through TLS.")
    var handshakeMilliseconds = 120_000

    @Option(help: "How many connections there may be at once.")
    var connections = 256

    func run() async throws {
        let authority = try CertificateAuthority(run: run)
        try authority.save(toFile: "\(folder)/authority.pem")
        var endpoint = try Endpoint.coordinator(of: authority)
        endpoint.handshakeTimeout = .milliseconds(handshakeMilliseconds)
        let listener = try await Listener.listen(
            host: "127.0.0.1", port: 0, as: endpoint, maximumConnections: connections
        ) { refusal in
            Self.say("\(refusal.remoteAddress) refused \(refusal.error)")
        }
        Self.say("port \(listener.port)")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await Self.report(listener.connections) }
            // Nobody writes to it: it only ends, when whoever started this has ended.
            let input = try await NIOPipeBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .takingOwnershipOfDescriptor(input: dup(STDIN_FILENO)).get()
            try await input.closeFuture.get()
            await listener.close()
            group.cancelAll()
        }
    }

    private static func report(_ connections: AsyncStream<Connection>) async {
        await withDiscardingTaskGroup { group in
            for await connection in connections {
                let peer = connection.peer.map { "\($0)" } ?? "enrolment"
                say("\(connection.remoteAddress) accepted \(peer)")
                group.addTask {
                    let end = await connection.closed().map { "\($0)" } ?? "well"
                    say("\(connection.remoteAddress) ended \(end)")
                }
            }
        }
    }

    /// Lines of several threads do not mix: each is one write.
    private static func say(_ text: String) {
        let line = text.replacing("\n", with: " ") + "\n"
        FileHandle.standardOutput.write(Data(line.utf8))
    }
}
