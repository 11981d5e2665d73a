internal import SalvorJSON

/// Takes a template's resources apart: loops, conditions, children, and what needs what.
struct TemplatePlan {
    private struct Planned {
        var resource: Template.Resource
        /// As the template writes them.
        var dependencies: [String]
        /// What its expressions refer to, by id or by name.
        var references: [String]
        let parent: ResourceID?
    }

    private let scope: TemplateScope
    private var planned: [Planned] = []
    /// Ids of the resources of a loop, and keys of those that a condition leaves out.
    private var loops: [String: [String]] = [:]
    private var left: Set<String> = []
    /// Ids by lower-cased symbolic name.
    private(set) var symbols: [String: ResourceID] = [:]

    private static let most = 800
    /// What says how a resource is deployed, and is not part of it.
    private static let own = [
        "type", "name", "apiVersion", "dependsOn", "comments", "condition", "copy", "resources", "scope", "existing",
        "resourceGroup", "subscriptionId", "metadata",
    ]

    init(scope: TemplateScope) { self.scope = scope }

    mutating func add(_ raw: JSONValue, parent: Template.Resource?, symbol: String?) throws(ARMError) {
        guard raw.object != nil else { throw .invalidTemplate("a resource is no object") }
        guard let loop = raw[member: "copy"] else {
            try addOne(raw, parent, turns: parent?.turns ?? [], symbol: symbol)
            return
        }
        guard let name = loop[member: "name"]?.string else { throw .invalidTemplate("a copy loop has no name") }
        let isSerial = loop[member: "mode"]?.string?.lowercased() == "serial"
        let batch = Int(clamping: max(1, loop[member: "batchSize"]?.integer ?? 1))
        for index in 0..<(try scope.count(loop[member: "count"] ?? .null)) {
            let turn = TemplateScope.Turn(name: name, index: index)
            let before = planned.count
            try addOne(raw, parent, turns: (parent?.turns ?? []) + [turn], symbol: nil)
            guard planned.count > before else { continue }
            let earlier = loops[name.lowercased()] ?? []
            if isSerial, earlier.count >= batch {
                // All of the batch before.
                let start = (earlier.count / batch - 1) * batch
                planned[before].dependencies += earlier[start..<start + batch]
            }
            loops[name.lowercased()] = earlier + [planned[before].resource.id.key]
        }
        if loops[name.lowercased()] == nil { loops[name.lowercased()] = [] }
        if let symbol { loops[symbol.lowercased()] = loops[name.lowercased()] }
    }

    private mutating func addOne(
        _ raw: JSONValue, _ parent: Template.Resource?, turns: [TemplateScope.Turn], symbol: String?
    ) throws(ARMError) {
        guard planned.count < Self.most else {
            throw .invalidTemplate("the number of template resources exceeds the limit of \(Self.most)")
        }
        var scope = scope
        scope.turns = turns
        let id = try self.id(of: raw, parent?.id, in: scope)
        if let symbol { symbols[symbol.lowercased()] = id }
        if raw[member: "existing"]?.bool == true {
            left.insert(id.key)
            return
        }
        if let condition = raw[member: "condition"] {
            guard let holds = try scope.evaluate(condition).bool else {
                throw .invalidTemplate("the condition of the resource '\(id.name)' is neither true nor false")
            }
            guard holds else {
                left.insert(id.key)
                return
            }
        }
        guard !planned.contains(where: { $0.resource.id == id }) else {
            throw .invalidTemplate("the resource '\(id)' is defined multiple times in a template")
        }
        var body = raw
        for name in Self.own { body[path: name] = nil }
        guard let version = try raw[member: "apiVersion"].map(scope.evaluate)?.string else {
            throw .invalidTemplate("the resource '\(id.name)' has no apiVersion")
        }
        let resource = Template.Resource(id: id, body: body, turns: turns, apiVersion: version)
        var dependencies: [String] = []
        for need in raw[member: "dependsOn"]?.array ?? [] {
            guard let text = try scope.evaluate(need).string else {
                throw .invalidTemplate("what the resource '\(id.name)' depends on is no text")
            }
            dependencies.append(text)
        }
        planned.append(
            Planned(
                resource: resource, dependencies: dependencies, references: try references(in: body, scope),
                parent: parent?.id))
        for child in raw[member: "resources"]?.array ?? [] { try add(child, parent: resource, symbol: nil) }
    }

    // MARK: Names

    private func id(
        of raw: JSONValue, _ parent: ResourceID?, in scope: TemplateScope
    ) throws(ARMError) -> ResourceID {
        func text(_ name: String) throws(ARMError) -> String? { try raw[member: name].map(scope.evaluate)?.string }
        guard var type = try text("type"), var name = try text("name") else {
            throw .invalidTemplate("a resource has no type or no name")
        }
        if let parent {
            type = "\(parent.type)/\(type)"
            name = parent.names.joined(separator: "/") + "/\(name)"
        }
        var group = scope.place.scope
        let subscription = try text("subscriptionId")
        if let other = try text("resourceGroup") {
            group = ResourceID(subscription: subscription ?? group.subscription, resourceGroup: other)
        } else if let subscription {
            group = ResourceID(subscription: subscription)
        }
        var base = group
        if let place = try text("scope") {
            let path = place.hasPrefix("/") ? place : "\(group)/providers/\(place)"
            guard let found = ResourceID(path) else {
                throw .invalidTemplate("the scope '\(printable(place))' of a resource is not valid")
            }
            base = found
        }
        var types = type.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        var names = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let wrong = ARMError.invalidTemplate(
            "the template resource '\(printable(name))' for type '\(printable(type))' has incorrect segment lengths. A nested "
                + "resource type must have identical number of segments as its resource name. A root resource type must have "
                + "segment length one greater than its resource name")
        // `Microsoft.Compute/disks/providers/locks` and `disk/Microsoft.Authorization/lock`.
        if let split = types.firstIndex(where: { $0.lowercased() == "providers" }), split >= 2, names.count >= split {
            base = base.adding(
                .init(
                    namespace: types[0], types: Array(types[1..<split]), names: Array(names[..<(split - 1)])))
            types = [names[split - 1]] + types[(split + 1)...]
            names = Array(names[split...])
        }
        guard types.count == names.count + 1, names.count >= 1, !types.contains(""), !names.contains("") else {
            throw wrong
        }
        return base.adding(.init(namespace: types[0], types: Array(types.dropFirst()), names: names))
    }

    /// What `reference` calls in a body name. They are as good as dependencies.
    private func references(in value: JSONValue, _ scope: TemplateScope) throws(ARMError) -> [String] {
        var found: [String] = []
        switch value {
        case .string(let text) where TemplateExpression.isExpression(text):
            for call in try TemplateExpression(text).calls where call.name.lowercased() == "reference" {
                // What it names may itself only be known later.
                guard let first = call.arguments.first, let name = try? scope.evaluate(first).string else { continue }
                found.append(name.lowercased())
            }
        case .array(let items):
            for item in items { found += try references(in: item, scope) }
        case .object(let members):
            // What stands in an inner template is that template's own.
            for (name, member) in members where name.lowercased() != "template" {
                found += try references(in: member, scope)
            }
        default: break
        }
        return found
    }

    // MARK: Order

    /// - Throws: for needs that are not there, and for resources that need each other.
    mutating func finish() throws(ARMError) -> [Template.Resource] {
        let keys = Dictionary(uniqueKeysWithValues: planned.map { ($0.resource.id.key, $0.resource.id) })
        // In one template a resource can be referred to by its name alone.
        for id in keys.values where symbols[id.name.lowercased()] == nil { symbols[id.name.lowercased()] = id }
        for index in planned.indices {
            var needs: Set<String> = []
            for dependency in planned[index].dependencies {
                needs.formUnion(try find(dependency, keys))
            }
            needs.formUnion(
                planned[index].references.map { symbols[$0]?.key ?? $0 }.filter { keys[$0] != nil })
            if let parent = planned[index].parent { needs.insert(parent.key) }
            needs.remove(planned[index].resource.id.key)
            planned[index].resource.needs = needs.sorted()
        }
        try checkOrder()
        return planned.map(\.resource)
    }

    /// By id, by type and name, by name alone, by the name of a loop, or by symbolic name.
    private func find(_ dependency: String, _ keys: [String: ResourceID]) throws(ARMError) -> [String] {
        let need = ResourceID(dependency)?.key ?? dependency.lowercased()
        if keys[need] != nil { return [need] }
        if let all = loops[need] { return all }
        if let id = symbols[need] { return keys[id.key] == nil ? [] : [id.key] }
        if left.contains(need) { return [] }
        func names(_ id: ResourceID) -> [String] {
            ["\(id.type)/\(id.path)".lowercased(), id.name.lowercased()]
        }
        let found = keys.values.filter { names($0).contains(need) }
        if let one = found.first { return [one.key] }
        if left.contains(where: { $0.hasSuffix("/\(need)") || ResourceID($0).map { names($0).contains(need) } ?? false }
        ) {
            return []
        }
        throw .invalidTemplate("the resource '\(printable(dependency))' is not defined in the template")
    }

    private func checkOrder() throws(ARMError) {
        var done: Set<String> = []
        var pending = planned.map(\.resource)
        while !pending.isEmpty {
            let ready = pending.filter { $0.needs.allSatisfy(done.contains) }
            guard !ready.isEmpty else {
                throw .invalidTemplate("Circular dependency detected on resource: '\(pending[0].id)'")
            }
            done.formUnion(ready.map(\.id.key))
            pending.removeAll { done.contains($0.id.key) }
        }
    }
}
