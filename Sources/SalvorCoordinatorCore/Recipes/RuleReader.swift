/// Reads one rule of a recipe.
enum RuleReader {
    /// What the agent reports of a file's beginning, and so what a header can be compared with.
    private static let headerLimit = 16

    static func rule(_ value: YAMLValue) throws(YAMLMistake) -> Recipe.Rule {
        let what = "a rule"
        let fields = try value.fields(["id", "volumes", "folder", "files", "judge", "actions"], of: what)
        var rule = Recipe.Rule(
            id: try RecipeReader.identifier(value.required("id", in: fields, of: what)),
            folder: try folder(value.required("folder", in: fields, of: what)),
            namePattern: try namePattern(value.required("files", in: fields, of: what)),
            judgement: try JudgementReader.judgement(value.required("judge", in: fields, of: what)),
            actions: try ActionReader.actions(value.required("actions", in: fields, of: what)))
        if let volumes = fields["volumes"] {
            rule.volumes = try Spelling.choice(of: Recipe.Volumes.self, volumes)
        }
        if rule.actions[.missing] != nil, let actions = fields["actions"],
            rule.namePattern.contains(where: { $0 == "*" || $0 == "?" })
        {
            throw actions.mistake(found: "“missing” for a pattern", expected: "“missing” for one name alone")
        }
        return rule
    }

    /// Components, without the first or last separator.
    static func folder(_ value: YAMLValue) throws(YAMLMistake) -> [String] {
        let expected = "a folder below the volume's root, such as Windows\\System32\\drivers"
        let text = try value.text(expected)
        let components = text.split(omittingEmptySubsequences: false) { $0 == "\\" || $0 == "/" }.map(String.init)
        for component in components {
            guard !component.isEmpty, component != ".", component != "..", isFileName(component) else {
                throw value.mistake(found: value.shown, expected: expected)
            }
        }
        return components
    }

    private static func namePattern(_ value: YAMLValue) throws(YAMLMistake) -> String {
        let expected = "a file-name pattern such as C-00000291*.sys, with * and ? and no folder"
        let text = try value.text(expected)
        guard isFileName(text), !text.contains("\\"), !text.contains("/") else {
            throw value.mistake(found: value.shown, expected: expected)
        }
        // A pattern that fits every file would make the verdict the only thing between a folder and its deletion.
        guard text.contains(where: { $0 != "*" && $0 != "?" && $0 != "." }) else {
            throw value.mistake(found: value.shown, expected: "a pattern that does not fit every file")
        }
        return text
    }

    /// No character that a Windows file name cannot have, wildcards excepted.
    private static func isFileName(_ text: String) -> Bool {
        text.utf8.count <= 255
            && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !":<>\"|".unicodeScalars.contains($0) }
    }

    static func header(_ value: YAMLValue) throws(YAMLMistake) -> [UInt8] {
        let expected = "1 to \(headerLimit) bytes in hexadecimal, such as AA AA 01 00"
        let pairs = try value.text(expected).split(separator: " ")
        var bytes: [UInt8] = []
        for pair in pairs {
            guard pair.utf8.count == 2, pair.allSatisfy(\.isHexDigit), let byte = UInt8(pair, radix: 16) else {
                throw value.mistake(found: value.shown, expected: expected)
            }
            bytes.append(byte)
        }
        guard (1...headerLimit).contains(bytes.count) else {
            throw value.mistake(found: "\(bytes.count) bytes", expected: expected)
        }
        return bytes
    }
}
