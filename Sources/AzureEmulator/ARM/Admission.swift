/// What the resource manager asks of a request before a kind sees it.
enum Admission {
    /// - Throws: where the group, or what a child belongs to, is missing or on its way out.
    static func check(
        _ id: ResourceID, method: String, kinds: [String: any ResourceKind], in state: EmulatorState
    ) throws(ARMError) {
        if let group = id.group, group != id {
            guard let record = state[group] else { throw .groupNotFound(group.name) }
            if method == "PUT" { try ResourceGroups.checkNotDeleting(record) }
        }
        if let parent = id.parent, kinds[parent.type.lowercased()] != nil, state[parent] == nil {
            throw .parentNotFound(id, parent, method)
        }
    }
}
