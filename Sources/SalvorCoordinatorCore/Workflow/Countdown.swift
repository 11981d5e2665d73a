/// Opens once all that were counted have passed. Waiting is not ended by cancellation: those who pass are cancelled too.
actor Countdown {
    private var remaining: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { remaining = count }

    func pass() {
        remaining -= 1
        guard remaining <= 0 else { return }
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    /// True for the last one, who has not passed yet.
    var isDownToOne: Bool { remaining == 1 }

    func wait() async {
        guard remaining > 0 else { return }
        await withCheckedContinuation { waiting.append($0) }
    }
}
