/// What we still let the peer send on one stream (SPEC.md, section 7).
///
/// Window comes back for what the application consumed. Bytes of a message that is not whole yet do not hold window back,
/// because no application can consume them: a message larger than the window gets through, and what a stream can hold is the
/// window and one message of the largest size.
struct ReceiveWindow: Sendable {
    private let initial: Int
    private var available: Int
    /// Cost of whole messages that the application has not consumed.
    private var unconsumed = 0
    /// Whole messages that the application has not consumed.
    private(set) var heldMessages = 0
    /// Cost of the frames of the message that is not whole yet.
    private var partial = 0

    init(_ initial: UInt32) {
        self.initial = Int(initial)
        self.available = Int(initial)
    }

    /// Cost of everything that is held.
    var held: Int { unconsumed + partial }

    /// Counts a frame in; false when it is beyond the window.
    mutating func receive(_ cost: Int) -> Bool {
        guard cost <= available else { return false }
        available -= cost
        partial += cost
        return true
    }

    /// The message is whole; gives its cost.
    mutating func completeMessage() -> Int {
        defer { partial = 0 }
        unconsumed += partial
        heldMessages += 1
        return partial
    }

    /// The application has taken so many messages of this cost; gives how much of it, and how many, were outstanding.
    mutating func consume(_ cost: Int, messages: Int) -> (cost: Int, messages: Int) {
        let taken = (cost: min(max(cost, 0), unconsumed), messages: min(max(messages, 0), heldMessages))
        unconsumed -= taken.cost
        heldMessages -= taken.messages
        return taken
    }

    /// The increment to send now: nil until half of the initial window would come back (W-5).
    mutating func grant() -> UInt32? {
        let increment = initial - unconsumed - available
        guard increment > 0, increment >= initial / 2 else { return nil }
        available += increment
        return UInt32(increment)
    }
}

/// What we still let the peer send on all streams together. Comes back on receipt, not on consumption, so that a stream that
/// nobody reads takes nothing from the others (W-7).
struct ConnectionReceiveWindow: Sendable {
    private let initial: Int
    private var available: Int

    init(_ initial: UInt32) {
        self.initial = Int(initial)
        self.available = Int(initial)
    }

    /// Counts a frame in; false when it is beyond the window.
    mutating func receive(_ cost: Int) -> Bool {
        guard cost <= available else { return false }
        available -= cost
        return true
    }

    /// The increment to send now: nil until half of the initial window is used.
    mutating func grant() -> UInt32? {
        let used = initial - available
        guard used > 0, used >= initial / 2 else { return nil }
        available = initial
        return UInt32(used)
    }
}
