import SalvorCoordinatorCore

/// How long the parts of a rescue take on Azure, from good to bad. Estimates from documents and reports of others.
struct RescueTimes: Sendable {
    /// Seconds.
    typealias Span = ClosedRange<Int>

    static let basis =
        "Times are estimates: Azure promises none, and a busy region in an outage takes longer. Time that it takes to "
        + "answer Salvor's question is not counted."

    private static let stop: Span = 10...90
    private static let copy: Span = 5...60
    private static let host: Span = 60...180
    private static let attach: Span = 10...60
    /// Until the agent has called, scanned, repaired and verified.
    private static let repair: Span = 30...180
    private static let detach: Span = 20...120
    private static let swap: Span = 10...60
    private static let boot: Span = 60...360
    /// Of the rescue image, at 100 and at 5 MB/s.
    private static let uploadBytesPerSecond = (most: 100_000_000, least: 5_000_000)

    var rescue: PlannedRescue
    /// Bytes of the image that is to be uploaded first.
    var uploads: Int64

    /// Rescue VMs work side by side; within one, machines wait for each other where only so many are worked on at once.
    var whole: ExpectedTime { sum(host + [Self.detach] + (isRescue ? bringingBack : [])) }

    /// How long a rescue VM is paid for.
    var hostTime: ExpectedTime { sum([Self.host, Self.attach, Self.repair, Self.detach]) }

    private var isRescue: Bool { rescue.command == .rescue }

    private var host: [Span] {
        let upload = Int(uploads) / Self.uploadBytesPerSecond.most...Int(uploads) / Self.uploadBytesPerSecond.least
        let copies = times(Self.copy)
        // The rescue VM is made while the copies are.
        let ready = max(copies.lowerBound, Self.host.lowerBound)...max(copies.upperBound, Self.host.upperBound)
        return [upload, ready, Self.attach, Self.repair] + (rescue.stopsFirst ? [times(Self.stop)] : [])
    }

    private var bringingBack: [Span] {
        [times(Self.swap), times(Self.boot)] + (rescue.stopsFirst ? [] : [times(Self.stop)])
    }

    /// For all machines, so many at a time.
    private func times(_ span: Span) -> Span {
        let limit = max(1, rescue.concurrentMachines)
        let rounds = max(1, (rescue.machines.count + limit - 1) / limit)
        return span.lowerBound * rounds...span.upperBound * rounds
    }

    private func sum(_ spans: [Span]) -> ExpectedTime {
        ExpectedTime(
            leastSeconds: spans.reduce(0) { $0 + $1.lowerBound }, mostSeconds: spans.reduce(0) { $0 + $1.upperBound })
    }
}
