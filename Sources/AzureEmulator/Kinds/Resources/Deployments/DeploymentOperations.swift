internal import SalvorJSON

/// What a deployment has done, one record for each resource. They come with their deployment and go with it.
struct DeploymentOperations: ResourceKind {
    let type = "Microsoft.Resources/deployments/operations"

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        throw .methodNotAllowed("PUT")
    }

    func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        throw .methodNotAllowed("DELETE")
    }

    func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion { .done(nil) }

    func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue {
        var json = record.body
        json[path: "id"] = .string(record.id.description)
        json[path: "operationId"] = .string(record.id.name)
        return json
    }

    /// Writes down what became of a resource.
    static func note(
        _ target: ResourceID, of deployment: ResourceID, _ status: String, since start: EmulatorTime,
        error: ARMError? = nil, _ context: EffectContext, in state: inout EmulatorState
    ) {
        // The same for each resource of a deployment, so that a step that is taken again writes it again.
        let hash = target.key.utf8.reduce(UInt64(5381)) { ($0 &* 33) ^ UInt64($1) }
        let hex = String(hash, radix: 16, uppercase: true)
        let name = String(repeating: "0", count: 16 - hex.count) + hex
        let id = deployment.child("operations", name)
        var record = Record(id: id, body: [:])
        record.body[path: "properties"] = [
            "provisioningOperation": "Create", "provisioningState": .string(status),
            "timestamp": .string(context.now.text), "duration": .string(duration(from: start, to: context.now)),
            "trackingId": .string(context.makeID()), "serviceRequestId": .string(context.makeID()),
            "statusCode": .string(
                status == "Failed" ? word(for: error?.status ?? 409) : status == "Running" ? "Created" : "OK"),
            "targetResource": [
                "id": .string(target.description), "resourceType": .string(target.type),
                "resourceName": .string(target.path),
            ],
        ]
        if let error { record.body[path: "properties.statusMessage"] = ["status": "Failed", "error": error.json] }
        state.put(record)
    }

    private static func word(for status: Int) -> String {
        [400: "BadRequest", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 412: "PreconditionFailed"][status]
            ?? "Conflict"
    }

    /// `PT1M5.25S`.
    static func duration(from start: EmulatorTime, to end: EmulatorTime) -> String {
        let milliseconds = max(0, end.milliseconds - start.milliseconds)
        let minutes = milliseconds / 60_000
        let rest = Double(milliseconds % 60_000) / 1000
        return "PT" + (minutes > 0 ? "\(minutes)M" : "") + "\(rest)S"
    }
}
