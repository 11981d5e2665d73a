extension Double {
    package func text(_ digits: Int) -> String {
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
    package var median: Double {
        let sorted = self.sorted()
        return (sorted[count / 2] + sorted[(count - 1) / 2]) / 2
    }
}
