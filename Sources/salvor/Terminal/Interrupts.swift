internal import Dispatch
internal import Glibc
internal import SalvorCoordinatorCore
internal import Synchronization

/// Ctrl-C, and a polite request to end. The first one cancels; the second one leaves at once, which the journal bears.
final class Interrupts {
    private let sources: [any DispatchSourceSignal]

    init(_ cancel: @escaping @Sendable () -> Void) {
        let count = Mutex(0)
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler {
                let isFirst = count.withLock { count in
                    count += 1
                    return count == 1
                }
                guard isFirst else { _exit(ExitCode.interrupted.rawValue) }
                StandardStreams.note("Interrupted: ending the rescue VMs. Once more leaves at once.")
                cancel()
            }
            source.resume()
            return source
        }
    }

    func stop() { for source in sources { source.cancel() } }
}
