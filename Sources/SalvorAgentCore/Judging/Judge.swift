package import SalvorDigest
package import SalvorMessages

/// What a verdict rests on.
package struct FileFacts: Sendable {
    package var sizeBytes: UInt64
    package var digest: Digest
    /// The file's first bytes: all that a recipe's header can ask for.
    package var beginning: [UInt8]
    package var isAllZero: Bool
    package var times: Salvor_V1_FileTimes

    package init(
        sizeBytes: UInt64, digest: Digest, beginning: [UInt8], isAllZero: Bool, times: Salvor_V1_FileTimes
    ) {
        self.sizeBytes = sizeBytes
        self.digest = digest
        self.beginning = beginning
        self.isAllZero = isAllZero
        self.times = times
    }
}

extension Salvor_V1_Judgement {
    /// The verdict on one file, and why. Digests are the strongest evidence short of a file that is plainly lost, then
    /// the header, then the last-write time; what nothing settles is UNKNOWN.
    package func verdict(on facts: FileFacts) -> (verdict: Salvor_V1_Verdict, reason: String) {
        if everyFile, facts.sizeBytes >= minBytes, maxBytes == 0 || facts.sizeBytes <= maxBytes {
            return (.faulty, "The recipe means every file of such a name.")
        }
        // An empty file has no byte that is zero, and none that says what it was.
        guard facts.sizeBytes > 0 else { return (.unknown, "It is empty.") }
        if facts.isAllZero {
            return (.zeroed, "All of its \(facts.sizeBytes) bytes are zero: a crash lost its content.")
        }

        if facts.sizeBytes < minBytes || (maxBytes != 0 && facts.sizeBytes > maxBytes) {
            let most = maxBytes == 0 ? "" : " to \(maxBytes)"
            return (.unknown, "It has \(facts.sizeBytes) bytes, and the recipe means \(minBytes)\(most).")
        }

        let isFaulty = faultySha256.contains { $0.elementsEqual(facts.digest.bytes) }
        let isCorrected = correctedSha256.contains { $0.elementsEqual(facts.digest.bytes) }
        switch (isFaulty, isCorrected) {
        case (true, true): return (.unknown, "The recipe lists its SHA-256 as faulty and as corrected.")
        case (true, false): return (.faulty, "Its SHA-256 is that of a known faulty file.")
        case (false, true): return (.corrected, "Its SHA-256 is that of a known corrected file.")
        case (false, false): break
        }

        guard facts.beginning.starts(with: header) else {
            let found = hexadecimal(facts.beginning.prefix(header.count))
            return (.unknown, "It begins with \(found), not with \(hexadecimal(header)).")
        }
        let modified = facts.times.modified
        let written = "It was last written at \(ntfsTimeText(modified))"
        if modified == 0 { return (.unknown, "It has no last-write time.") }
        if modified < faultyFrom {
            return (.unknown, "\(written), before the fault appeared at \(ntfsTimeText(faultyFrom)).")
        }
        if modified < faultyBefore { return (.faulty, "\(written), before \(ntfsTimeText(faultyBefore)).") }
        if correctedFrom != 0, modified >= correctedFrom {
            return (.corrected, "\(written), not before \(ntfsTimeText(correctedFrom)).")
        }
        return (.unknown, "\(written), and the recipe does not say what that means.")
    }
}
