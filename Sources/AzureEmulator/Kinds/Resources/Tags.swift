internal import SalvorJSON

/// `Microsoft.Resources/tags/default`: the tags of whatever it lies on.
struct Tags: ResourceKind {
    let type = "Microsoft.Resources/tags"
    private static let most = 50

    func find(_ id: ResourceID, in state: EmulatorState) -> Record? {
        guard id.name.lowercased() == "default", let tagged = try? Self.tagged(id, in: state) else { return nil }
        return Record(id: id, body: ["properties": ["tags": tagged.body["tags"] ?? [:]]])
    }

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try write(call.body[path: "properties.tags"]?.object ?? [:], call, &state)
    }

    func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        var tags = try Self.tagged(call.id, in: state).body["tags"]?.object ?? [:]
        let given = call.body[path: "properties.tags"]?.object ?? [:]
        switch call.body[member: "operation"]?.string?.lowercased() {
        case "replace": tags = given
        case "merge":
            for (name, value) in given {
                tags = tags.filter { $0.key.lowercased() != name.lowercased() }
                tags[name] = value
            }
        case "delete":
            for (name, value) in given {
                tags = tags.filter { $0.key.lowercased() != name.lowercased() || $0.value != value }
            }
        case let other:
            throw ARMError(
                400, "InvalidTagsPatchOperation",
                "The tags patch operation '\(printable(other ?? ""))' is none of Replace, Merge and Delete.")
        }
        return try write(tags, call, &state)
    }

    func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        _ = try write([:], call, &state)
        return .done(200, nil)
    }

    func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion { .done(nil) }

    private func write(
        _ tags: [String: JSONValue], _ call: ResourceCall, _ state: inout EmulatorState
    ) throws(ARMError) -> Answer {
        var tagged = try Self.tagged(call.id, in: state)
        try Self.check(.object(tags))
        tagged.body[path: "tags"] = .object(tags)
        state.put(tagged)
        return .done(200, Record(id: call.id, body: ["properties": ["tags": .object(tags)]]).json)
    }

    /// What the tags are on; of a subscription nothing else is kept.
    private static func tagged(_ id: ResourceID, in state: EmulatorState) throws(ARMError) -> Record {
        guard let target = id.tagged else { throw .resourceNotFound(id) }
        if target.resourceGroup == nil, target.parts.isEmpty { return state[target] ?? Record(id: target, body: [:]) }
        return try state.require(target)
    }

    /// - Throws: for more tags than Azure takes, and for names and values that it does not.
    static func check(_ tags: JSONValue?) throws(ARMError) {
        guard let tags = tags?.object else { return }
        guard tags.count <= most else {
            throw ARMError(
                400, "TooManyTags",
                "The resource has too many tags: \(tags.count). At most \(most) are allowed.")
        }
        for (name, value) in tags {
            let fits = (1...512).contains(name.utf8.count) && !name.contains { "<>%&\\?/".contains($0) }
            guard fits else {
                throw ARMError(
                    400, "InvalidTagNameCharacters",
                    "The tag name '\(printable(name))' has more than 512 characters or one of '<,>,%,&,\\,?,/'.")
            }
            guard let text = value.string, text.utf8.count <= 256 else {
                throw ARMError(
                    400, "InvalidTagValue",
                    "The value of the tag '\(printable(name))' is no text of up to 256 characters.")
            }
        }
    }
}

extension ResourceID {
    /// What a `Microsoft.Resources/tags` lies on.
    fileprivate var tagged: ResourceID? { parts.isEmpty ? nil : scope }
}
