package import SalvorJSON

/// The few ways in which bodies are read and changed.
extension JSONValue {
    package var object: [String: JSONValue]? { if case .object(let members) = self { members } else { nil } }

    /// A member of a member, by names joined with dots; nil where one is missing. Setting makes what is missing.
    package subscript(path path: String) -> JSONValue? {
        get {
            path.split(separator: ".").reduce(Optional(self)) { value, name in value?[member: String(name)] }
        }
        set { set(path.split(separator: ".")[...], to: newValue) }
    }

    /// A member by its name without regard to case, as Azure reads bodies.
    package subscript(member name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        if let exact = members[name] { return exact }
        let lowered = name.lowercased()
        return members.first { $0.key.lowercased() == lowered }?.value
    }

    private mutating func set(_ path: ArraySlice<Substring>, to value: JSONValue?) {
        guard let first = path.first else {
            self = value ?? .null
            return
        }
        var members = object ?? [:]
        let name = String(first)
        if path.count == 1 {
            members[name] = value
        } else {
            var inner = members[name] ?? .object([:])
            inner.set(path.dropFirst(), to: value)
            members[name] = inner
        }
        self = .object(members)
    }

    /// What a PATCH does: members of objects are merged, null takes a member away, all else is replaced.
    package func merged(with patch: JSONValue) -> JSONValue {
        guard case .object(var members) = self, case .object(let changes) = patch else { return patch }
        for (name, change) in changes {
            if change == .null {
                members[name] = nil
            } else {
                members[name] = members[name].map { $0.merged(with: change) } ?? change
            }
        }
        return .object(members)
    }
}
