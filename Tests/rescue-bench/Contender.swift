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
