extension Duration {
    /// Rounded towards zero. A negative duration, which only a broken clock makes, is 0.
    var wholeMilliseconds: UInt64 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        let (milliseconds, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1000)
        return overflow ? .max : milliseconds + UInt64(attoseconds / 1_000_000_000_000_000)
    }
}
