/// What somebody may have meant.
package enum Spelling {
    /// - Returns: the candidates that are close enough to be meant, closest first.
    package static func candidates(for word: String, among names: [String]) -> [String] {
        let limit = max(2, word.count / 3)
        return names.map { name in
            // Half of a name is meant as well: “memory” for “memory_mib”.
            let isPart = word.count >= 3 && (name.hasPrefix(word) || word.hasPrefix(name))
            return (name: name, distance: isPart ? limit : distance(word.lowercased(), name.lowercased()))
        }
        .filter { $0.distance <= limit }
        .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
        .map(\.name)
    }

    /// - Returns: the candidate that is closest, if it is close enough to be meant.
    package static func closest(to word: String, among names: [String]) -> String? {
        candidates(for: word, among: names).first
    }

    /// The case of an enumeration that a YAML value names.
    static func choice<Choice: CaseIterable & RawRepresentable<String>>(
        of type: Choice.Type, _ value: YAMLValue
    ) throws(YAMLMistake) -> Choice {
        let names = Choice.allCases.map(\.rawValue)
        let expected = names.joined(separator: " or ")
        // YAML takes a bare off for a truth value elsewhere; here it is the word.
        let text = try value.text(expected)
        guard let choice = Choice(rawValue: text) else {
            let meant = closest(to: text, among: names).map { "; did you mean “\($0)”?" } ?? ""
            throw value.mistake(found: value.shown + meant, expected: expected)
        }
        return choice
    }

    /// Levenshtein's.
    private static func distance(_ one: String, _ other: String) -> Int {
        let other = Array(other.unicodeScalars.prefix(64))
        var row = Array(0...other.count)
        for (i, a) in one.unicodeScalars.prefix(64).enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in other.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(diagonal + (a == b ? 0 : 1), row[j] + 1, above + 1)
                diagonal = above
            }
        }
        return row[other.count]
    }
}
