internal import SalvorAudit
internal import SalvorDigest

/// Reads how a rule judges a file, and refuses what cannot be meant.
enum JudgementReader {
    static func judgement(_ value: YAMLValue) throws(YAMLMistake) -> Recipe.Judgement {
        let fields = try value.fields(["header", "last_write", "size", "sha256", "every_file"], of: "judge")
        var judgement = Recipe.Judgement()
        if let every = fields["every_file"], try RecipeReader.flag(every) {
            guard Set(fields.keys).isSubset(of: ["every_file", "size"]) else {
                throw value.mistake(found: "every_file beside other evidence", expected: "one or the other, or size")
            }
            judgement.everyFile = true
            if let size = fields["size"] { try read(size: size, into: &judgement) }
            return judgement
        }
        if let size = fields["size"] { try read(size: size, into: &judgement) }
        if let header = fields["header"] { judgement.header = try RuleReader.header(header) }
        if let times = fields["last_write"] { try read(times: times, into: &judgement) }
        if let digests = fields["sha256"] {
            let kinds = try digests.fields(["faulty", "corrected"], of: "sha256")
            judgement.faultySHA256 = try Self.digests(kinds["faulty"])
            judgement.correctedSHA256 = try Self.digests(kinds["corrected"])
            if let both = judgement.faultySHA256.first(where: judgement.correctedSHA256.contains) {
                throw digests.mistake(found: "\(both.hex) as faulty and as corrected", expected: "one of the two")
            }
        }
        guard judgement.faultyBefore != nil || !judgement.faultySHA256.isEmpty else {
            throw value.mistake(
                found: "nothing that makes a file faulty",
                expected: "last_write.faulty_before, sha256.faulty or every_file")
        }
        return judgement
    }

    private static func read(size value: YAMLValue, into judgement: inout Recipe.Judgement) throws(YAMLMistake) {
        let fields = try value.fields(["at_least", "at_most"], of: "size")
        func bytes(_ value: YAMLValue) throws(YAMLMistake) -> UInt64 {
            let expected = "a whole number of bytes from 1 on"
            guard let count = UInt64(try value.text(expected)), count > 0 else {
                throw value.mistake(found: value.shown, expected: expected)
            }
            return count
        }
        if let least = fields["at_least"] { judgement.minimumBytes = try bytes(least) }
        if let most = fields["at_most"] {
            judgement.maximumBytes = try bytes(most)
            if let least = judgement.minimumBytes, let found = judgement.maximumBytes, found < least {
                throw most.mistake(found: "\(found)", expected: "at least \(least), as at_least says")
            }
        }
    }

    private static func read(times: YAMLValue, into judgement: inout Recipe.Judgement) throws(YAMLMistake) {
        let fields = try times.fields(["faulty_from", "faulty_before", "corrected_from"], of: "last_write")
        judgement.faultyFrom = try fields["faulty_from"].map(instant)
        judgement.faultyBefore = try fields["faulty_before"].map(instant)
        judgement.correctedFrom = try fields["corrected_from"].map(instant)
        if let from = judgement.faultyFrom {
            guard let before = judgement.faultyBefore else {
                throw times.mistake(found: "faulty_from alone", expected: "faulty_before as well")
            }
            guard from.intervals < before.intervals else {
                throw (fields["faulty_before"] ?? times).mistake(
                    found: "a faulty_before that is not after faulty_from", expected: "a later time")
            }
        }
        if let before = judgement.faultyBefore, let corrected = judgement.correctedFrom,
            corrected.intervals < before.intervals
        {
            throw (fields["corrected_from"] ?? times).mistake(
                found: "a corrected_from before faulty_before", expected: "the same time or a later one")
        }
    }

    /// RFC 3339 in UTC, to 100 ns, as NTFS keeps it.
    private static func instant(_ value: YAMLValue) throws(YAMLMistake) -> NTFSTime {
        let expected = "a time in UTC from 1601 on, such as 2024-07-19T04:09:00Z"
        var text = try value.text(expected)
        if text.hasSuffix("Z") {
            let digits = text.split(separator: ".", omittingEmptySubsequences: false)
            let fraction = digits.count == 2 ? String(digits[1].dropLast()) : ""
            let whole = digits.count == 2 ? String(digits[0]) : String(text.dropLast())
            if fraction.count <= 7, digits.count == 1 || !fraction.isEmpty {
                text = "\(whole).\(fraction)\(String(repeating: "0", count: 7 - fraction.count))Z"
            }
        }
        guard !text.hasPrefix("ntfs:"), let time = NTFSTime(rfc3339: text), time.intervals > 0 else {
            throw value.mistake(found: value.shown, expected: expected)
        }
        return time
    }

    private static func digests(_ value: YAMLValue?) throws(YAMLMistake) -> [Digest] {
        guard let value else { return [] }
        var digests: [Digest] = []
        for entry in try value.list("a list of SHA-256 digests") {
            let expected = "a SHA-256 digest, 64 hexadecimal digits"
            guard let digest = Digest(hex: try entry.text(expected)) else {
                throw entry.mistake(found: entry.shown, expected: expected)
            }
            digests.append(digest)
        }
        return digests
    }
}
