/// How long to wait between attempts: longer each time, and never in step with others that failed at the same moment.
package struct Backoff: Sendable {
    package let initial: Duration
    package let maximum: Duration
    /// Attempts since the last ``reset()``.
    package private(set) var attempts = 0

    /// - Parameters:
    ///   - initial: the longest first wait.
    ///   - maximum: the longest wait of all.
    package init(initial: Duration = .milliseconds(250), maximum: Duration = .seconds(15)) {
        self.initial = initial
        self.maximum = maximum
    }

    /// How long to wait before the next attempt: between half and all of a span that doubles with every attempt.
    package mutating func next(using random: inout some RandomNumberGenerator) -> Duration {
        var span = initial
        for _ in 0..<min(attempts, 32) where span < maximum { span *= 2 }
        span = min(span, maximum)
        attempts += 1
        return span * Double.random(in: 0.5...1, using: &random)
    }

    /// An attempt has succeeded.
    package mutating func reset() { attempts = 0 }
}
