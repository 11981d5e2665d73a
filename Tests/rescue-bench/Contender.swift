/// A way to delete the faulty channel file from a copy of the broken machine's disk.
protocol Contender: Sendable {
    /// As it is called in the figures.
    var name: String { get }

    /// Does it once on a copy of its own, checks the copy, and throws it away.
    /// - Returns: the seconds that count.
    func deleteFaultyFile(from disk: BenchDisk) async throws -> Double
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

extension Double {
    func text(_ digits: Int) -> String {
        let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
        let scaled = Int((self * Double(scale)).rounded())
        let fraction = String(abs(scaled % scale))
        let sign = self < 0 && scaled != 0 ? "-" : ""
        let whole = sign + String(abs(scaled / scale))
        return digits == 0 ? whole : whole + "." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}

extension [Double] {
    /// The middle one, or the mean of the two in the middle; there must be at least one.
    var median: Double {
        let sorted = self.sorted()
        return (sorted[count / 2] + sorted[(count - 1) / 2]) / 2
    }
}
