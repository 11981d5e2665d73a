/// Reads what a rule does about each verdict.
enum ActionReader {
    /// As the agent takes them at most: recipe.proto.
    private static let mostBytes = 1 << 20

    private static let plain: [String: Recipe.Action] = [
        "keep": .keep, "quarantine-and-delete": .quarantineAndDelete, "collect": .collect, "repair-hive": .repairHive,
    ]
    private static let names = ["keep", "quarantine-and-delete", "collect", "repair-hive"]
    private static let keys = ["write", "restore", "registry", "safe_boot"]

    static func actions(_ value: YAMLValue) throws(YAMLMistake) -> [Recipe.Verdict: Recipe.Action] {
        let what = "actions"
        let fields = try value.fields(Recipe.Verdict.allCases.map(\.rawValue), of: what)
        var actions: [Recipe.Verdict: Recipe.Action] = [:]
        for verdict in Recipe.Verdict.allCases {
            // Every verdict is spelled out, so that nobody has to know what is done by default. What is missing is nobody's
            // business unless the recipe makes it so.
            if verdict == .missing, fields[verdict.rawValue] == nil { continue }
            let entry = try value.required(verdict.rawValue, in: fields, of: what)
            let action = try Self.action(entry)
            guard action.isAllowed(on: verdict) else {
                throw entry.mistake(
                    found: "an action that \(action.effect) what is \(verdict.rawValue)",
                    expected: verdict == .missing ? "keep, write or restore" : "keep or collect")
            }
            actions[verdict] = action
        }
        return actions
    }

    private static func action(_ value: YAMLValue) throws(YAMLMistake) -> Recipe.Action {
        let expected =
            "\(names.joined(separator: ", ")), or a mapping with \(keys.dropLast().joined(separator: ", ")) or safe_boot"
        guard !value.isMapping else { return try change(value, expected) }
        let text = try value.text(expected)
        guard let known = plain[text] else {
            let meant = Spelling.closest(to: text, among: names).map { "; did you mean “\($0)”?" } ?? ""
            throw value.mistake(found: value.shown + meant, expected: expected)
        }
        return known
    }

    private static func change(_ value: YAMLValue, _ expected: String) throws(YAMLMistake) -> Recipe.Action {
        let fields = try value.fields(keys, of: "an action")
        guard fields.count == 1, let (key, argument) = fields.first else {
            throw value.mistake(found: "\(fields.count) actions", expected: "one action: \(expected)")
        }
        switch key {
        case "write": return .write(try bytes(argument))
        case "restore": return .restore(from: try RuleReader.folder(argument))
        case "registry": return .registry(try registry(argument))
        default: return .safeBoot(try Spelling.choice(of: Recipe.SafeBoot.self, argument))
        }
    }

    private static func bytes(_ value: YAMLValue) throws(YAMLMistake) -> [UInt8] {
        let fields = try value.fields(["text", "hex"], of: "write")
        let bytes: [UInt8]
        switch (fields["text"], fields["hex"]) {
        case (let text?, nil): bytes = Array(try text.text("the file's new text").utf8)
        case (nil, let hex?): bytes = try hexadecimal(hex)
        default: throw value.mistake(found: value.shown, expected: "a mapping with text or hex")
        }
        guard bytes.count <= mostBytes else {
            throw value.mistake(found: "\(bytes.count) bytes", expected: "at most \(mostBytes) bytes")
        }
        return bytes
    }

    private static func hexadecimal(_ value: YAMLValue) throws(YAMLMistake) -> [UInt8] {
        let expected = "bytes in hexadecimal, such as 4D 5A or 4d5a"
        let digits = try value.text(expected).filter { !$0.isWhitespace }
        guard digits.allSatisfy({ $0.isASCII && $0.isHexDigit }), digits.count.isMultiple(of: 2) else {
            throw value.mistake(found: value.shown, expected: expected)
        }
        let values = digits.compactMap(\.hexDigitValue)
        return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }

    // MARK: Registry

    private static func registry(_ value: YAMLValue) throws(YAMLMistake) -> [Recipe.ValueChange] {
        let list = try value.list("a list of values to change")
        guard !list.isEmpty else { throw value.mistake(found: "no value", expected: "at least one value to change") }
        var changes: [Recipe.ValueChange] = []
        for entry in list { changes.append(try self.change(entry)) }
        return changes
    }

    private static let types = ["text", "expandable_text", "texts", "dword", "qword", "hex", "delete"]

    private static func change(_ value: YAMLValue) throws(YAMLMistake) -> Recipe.ValueChange {
        let what = "a change of a value"
        let fields = try value.fields(["key", "value"] + types, of: what)
        let key = try value.required("key", in: fields, of: what)
        let components = try key.text("a key below the hive's root").split(separator: "\\").map(String.init)
        guard !components.isEmpty else { throw key.mistake(found: key.shown, expected: "a key below the hive's root") }
        let given = types.filter { fields[$0] != nil }
        guard given.count == 1, let type = given.first, let argument = fields[type] else {
            throw value.mistake(
                found: given.isEmpty ? "no new value" : given.joined(separator: " and "),
                expected: "one of \(types.joined(separator: ", "))")
        }
        return Recipe.ValueChange(
            key: components, name: try fields["value"]?.textOrNothing() ?? "", value: try Self.value(type, argument))
    }

    private static func value(_ type: String, _ value: YAMLValue) throws(YAMLMistake) -> Recipe.ValueChange.Value? {
        switch type {
        case "text": return .text(try value.textOrNothing())
        case "expandable_text": return .expandableText(try value.textOrNothing())
        case "texts":
            var texts: [String] = []
            for text in try value.list("a list of texts") { texts.append(try text.text("a text")) }
            return .texts(texts)
        case "dword": return .number(try number(value))
        case "qword": return .longNumber(try number(value))
        case "hex": return .binary(try hexadecimal(value))
        default:
            guard try RecipeReader.flag(value) else { throw value.mistake(found: "false", expected: "true") }
            return nil
        }
    }

    private static func number<Number: FixedWidthInteger>(_ value: YAMLValue) throws(YAMLMistake) -> Number {
        let expected = "a whole number from 0 to \(Number.max), or 0x and hexadecimal digits"
        let text = try value.text(expected)
        let number = text.hasPrefix("0x") ? Number(text.dropFirst(2), radix: 16) : Number(text)
        guard let number else { throw value.mistake(found: value.shown, expected: expected) }
        return number
    }
}

extension Recipe.Action {
    /// A recipe never changes what is sound or what it does not know.
    fileprivate func isAllowed(on verdict: Recipe.Verdict) -> Bool {
        switch (verdict, self) {
        case (_, .keep): true
        case (.missing, .write), (.missing, .restore): true
        case (.missing, _): false
        case (_, .collect), (.faulty, _), (.zeroed, _): true
        case (.corrected, _), (.unknown, _): false
        }
    }

    fileprivate var effect: String {
        switch self {
        case .keep: "keeps"
        case .quarantineAndDelete: "deletes"
        case .collect: "copies"
        case .write, .restore, .repairHive, .registry, .safeBoot: "changes"
        }
    }
}
