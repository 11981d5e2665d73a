internal import SalvorAudit

extension Recipe {
    /// What the recipe does, in sentences for people, a line each.
    package var explanation: [String] {
        var lines = ["\(name), version \(version)" + (description.isEmpty ? "" : ": \(description)")]
        lines += requires.words.map { "It is for \($0) only; on others it keeps every file." }
        for rule in rules {
            let place = rule.volumes == .boot ? " of the volumes that Windows starts from" : ""
            lines.append(
                "Rule \(rule.id): files \(rule.namePattern) in \\\(rule.folder.joined(separator: "\\"))\(place).")
            lines += rule.judgement.words.map { "  \($0)" }
            for verdict in Verdict.allCases {
                guard let action = rule.actions[verdict] else { continue }
                lines.append("  What is \(verdict.rawValue) is \(action.words).")
                lines += action.details.map { "    \($0)" }
            }
        }
        lines += volume.words
        lines += ownConsents.sorted { $0.key < $1.key }.map { "It needs --consent \($0.key): \($0.value)." }
        return lines
    }
}

extension Recipe.Requirements {
    fileprivate var words: [String] {
        var words: [String] = []
        switch (buildFrom, buildBefore) {
        case (let from?, let before?): words.append("Windows builds \(from) to \(before - 1)")
        case (let from?, nil): words.append("Windows builds from \(from) on")
        case (nil, let before?): words.append("Windows builds before \(before)")
        case (nil, nil): break
        }
        if falcon { words.append("machines with a CrowdStrike sensor") }
        return words
    }
}

extension Recipe.Judgement {
    fileprivate var words: [String] {
        var words = everyFile ? [] : ["A file whose bytes are all zero is zeroed."]
        switch (minimumBytes, maximumBytes) {
        case (let least?, let most?):
            words.append("A file of fewer than \(least) or more than \(most) bytes is unknown.")
        case (let least?, nil): words.append("A file of fewer than \(least) bytes is unknown.")
        case (nil, let most?): words.append("A file of more than \(most) bytes is unknown.")
        case (nil, nil): break
        }
        if everyFile { return words + ["Every such file is faulty, whatever is in it."] }
        if !faultySHA256.isEmpty { words.append("A file with one of \(faultySHA256.count) SHA-256 digests is faulty.") }
        if !correctedSHA256.isEmpty {
            words.append("A file with one of \(correctedSHA256.count) SHA-256 digests is corrected.")
        }
        if !header.isEmpty {
            let bytes = header.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }
            words.append("A file that does not begin with \(bytes.joined(separator: " ")) is unknown.")
        }
        if let faultyFrom { words.append("A file last written before \(faultyFrom.rfc3339) is unknown.") }
        if let faultyBefore { words.append("Then, a file last written before \(faultyBefore.rfc3339) is faulty.") }
        if let correctedFrom { words.append("A file last written at \(correctedFrom.rfc3339) or later is corrected.") }
        words.append("Every other file is unknown.")
        return words
    }
}

extension Recipe.Action {
    fileprivate var words: String {
        switch self {
        case .keep: "kept as it is"
        case .quarantineAndDelete: "copied to quarantine with its metadata, and deleted"
        case .collect: "copied to the operator's machine, and kept as it is"
        case .write(let bytes): "copied to quarantine, and written over with \(bytes.count) bytes of the recipe"
        case .restore(let path):
            "copied to quarantine, and written over with what \\\(path.joined(separator: "\\")) holds"
        case .repairHive:
            "copied to quarantine, and made whole from its logs; where they do not help, with --consent older-registry "
                + "alone, from its backup in RegBack"
        case .registry(let changes):
            "copied to quarantine, and \(changes.count) \(changes.count == 1 ? "value" : "values") changed in it"
        case .safeBoot(let mode): "copied to quarantine, and its default entry's safe boot set to \(mode.rawValue)"
        }
    }

    fileprivate var details: [String] {
        guard case .registry(let changes) = self else { return [] }
        return changes.map { change in
            let place = (change.key + [change.name.isEmpty ? "(default)" : change.name]).joined(separator: "\\")
            return "\(place): \(change.value?.words ?? "removed")"
        }
    }
}

extension Recipe.VolumePolicy {
    fileprivate var words: [String] {
        [
            resetsLog
                ? "A volume that was not shut down cleanly is repaired: its log is reset first."
                : "A volume that was not shut down cleanly is left as it is.",
            repairsDirty
                ? "A volume that Windows is to check is repaired; Windows still checks it."
                : "A volume that Windows is to check is left as it is.",
            discardsHibernation
                ? "A hibernated volume, or one with Fast Startup, is repaired with --consent discard-hibernation alone: "
                    + "\(Recipe.Consent.discardHibernation.loss)."
                : "A hibernated volume, or one with Fast Startup, is left as it is.",
        ]
    }
}

extension Recipe.ValueChange.Value {
    fileprivate var words: String {
        switch self {
        case .text(let text), .expandableText(let text): "“\(text)”"
        case .texts(let texts): texts.map { "“\($0)”" }.joined(separator: ", ")
        case .number(let number): "\(number)"
        case .longNumber(let number): "\(number)"
        case .binary(let bytes): "\(bytes.count) bytes"
        }
    }
}
