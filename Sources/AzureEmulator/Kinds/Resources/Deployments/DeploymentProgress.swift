internal import SalvorJSON

/// What a deployment that goes on has to remember: its template, and what of it is made.
struct DeploymentProgress {
    var pending: [Template.Resource]
    /// Ids of operations by the keys of the resources that they make.
    var running: [String: String]
    var done: Set<String>
    var failed: [Failure]
    let template: JSONValue
    let parameters: [String: JSONValue]
    let symbols: [String: ResourceID]

    struct Failure {
        let key: String
        let error: JSONValue
    }

    init(_ template: Template, _ call: ResourceCall) {
        pending = template.resources
        running = [:]
        done = []
        failed = []
        self.template = template.scope.template
        parameters = template.parameters.values
        symbols = template.scope.symbols
    }

    init(_ json: JSONValue) {
        pending = (json["pending"]?.array ?? []).compactMap(Template.Resource.init)
        running = (json["running"]?.object ?? [:]).compactMapValues(\.string)
        done = Set((json["done"]?.array ?? []).compactMap(\.string))
        failed = (json["failed"]?.array ?? []).compactMap { item in
            item["key"]?.string.map { Failure(key: $0, error: item["error"] ?? [:]) }
        }
        template = json["template"] ?? [:]
        parameters = json["parameters"]?.object ?? [:]
        symbols = (json["symbols"]?.object ?? [:]).compactMapValues { $0.string.flatMap { ResourceID($0) } }
    }

    var json: JSONValue {
        [
            "pending": .array(pending.map(\.json)), "running": .object(running.mapValues { .string($0) }),
            "done": .array(done.sorted().map { .string($0) }),
            "failed": .array(failed.map { ["key": .string($0.key), "error": $0.error] }), "template": template,
            "parameters": .object(parameters), "symbols": .object(symbols.mapValues { .string($0.description) }),
        ]
    }

    /// What is left when it has ended: the template, and no secret of its parameters.
    static func ended(_ json: JSONValue) -> JSONValue { ["template": json["template"] ?? [:]] }
}
