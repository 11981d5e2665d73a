/// What somebody may have meant.
enum Spelling {
    /// - Returns: the candidate that is closest, if it is close enough to be meant.
    static func closest(to word: String, among candidates: [String]) -> String? {
        let ranked = candidates.map { (distance: distance(word.lowercased(), $0.lowercased()), word: $0) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(2, word.count / 3) ? best.word : nil
    }

    /// Levenshtein's.
    private static func distance(_ one: String, _ other: String) -> Int {
        let one = Array(one.unicodeScalars.prefix(64))
        let other = Array(other.unicodeScalars.prefix(64))
        var row = Array(0...other.count)
        for (i, a) in one.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in other.enumerated() {
                let substituted = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[other.count]
    }
}
