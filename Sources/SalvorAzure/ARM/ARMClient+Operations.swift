package import SalvorJSON

/// A change that Azure has begun.
package struct ARMOperation: Sendable {
    let call: ARMCall
    let first: ARMAnswer
}

extension ARMClient {
    /// Waits until something that is being deleted, by whomever, is gone.
    package func waitUntilGone(_ path: String, _ version: APIVersion) async throws(AzureError) {
        while try await find(path, version) != nil {
            try await pause(.seconds(4), before: ARMCall("GET", path, version))
        }
    }
}

extension ARMClient {
    /// PUT, and waits for the end. - Returns: the resource as it is then.
    package func put(
        _ path: String, _ version: APIVersion, _ body: JSONValue, ifMatch: String? = nil
    ) async throws(AzureError) -> JSONValue {
        try await change(ARMCall("PUT", path, version, body: body, ifMatch: ifMatch)) ?? [:]
    }

    package func patch(
        _ path: String, _ version: APIVersion, _ body: JSONValue, ifMatch: String? = nil
    ) async throws(AzureError) -> JSONValue {
        try await change(ARMCall("PATCH", path, version, body: body, ifMatch: ifMatch)) ?? [:]
    }

    /// Succeeds where there is nothing to delete.
    package func delete(
        _ path: String, _ version: APIVersion, query: [String: String] = [:]
    ) async throws(AzureError) {
        _ = try await change(ARMCall("DELETE", path, version, query: query))
    }

    /// - Parameter changes: false for a POST that only asks.
    @discardableResult
    package func post(
        _ path: String, _ version: APIVersion, _ body: JSONValue? = nil, query: [String: String] = [:],
        repeats: ARMCall.Repeat = .safe, changes: Bool = true
    ) async throws(AzureError) -> JSONValue? {
        try await change(
            ARMCall("POST", path, version, query: query, body: body, repeats: repeats, changes: changes))
    }

    /// A change from the call to its end.
    /// - Returns: the resource, or what the action gives; nil where there is nothing.
    package func change(_ call: ARMCall) async throws(AzureError) -> JSONValue? {
        try await finish(try await begin(call))
    }

    /// Sends the call; what it begins goes on.
    package func begin(_ call: ARMCall) async throws(AzureError) -> ARMOperation {
        do throws(AzureError) {
            return ARMOperation(call: call, first: try await answer(call))
        } catch {
            // What is not there is deleted. A lost answer's repeat meets this as well.
            guard call.method == "DELETE", error.code == .notFound else { throw error }
            return ARMOperation(call: call, first: ARMAnswer(status: 204, headers: [], body: nil))
        }
    }

    /// Waits until an operation has ended.
    /// - Throws: ``AzureError/Code/operationFailed``, or what Azure's code means, for one that failed;
    ///   ``AzureError/Code/timedOut`` for one that goes on after the deadline: it was not cancelled.
    package func finish(_ operation: ARMOperation) async throws(AzureError) -> JSONValue? {
        let first = operation.first
        if let address = first[header: "Azure-AsyncOperation"] {
            let status = try await follow(statusAt: address, of: operation)
            return try await result(of: operation, status: status)
        }
        if let address = first[header: "Location"], first.status == 202 || first.status == 201 {
            return try await follow(locationAt: address, of: operation)
        }
        return try await settled(first.body, of: operation)
    }

    /// The status document at `Azure-AsyncOperation`, once it says that the operation has ended well.
    private func follow(statusAt address: String, of operation: ARMOperation) async throws(AzureError) -> JSONValue {
        var wait = Wait(operation.first)
        while true {
            try await pause(wait.next(), before: operation.call, else: timedOut(operation))
            guard let answer = try await look(at: address, of: operation) else { return [:] }
            let document = try answer.object()
            switch document["status"]?.string?.lowercased() ?? "" {
            case "succeeded": return document
            case "failed", "canceled", "cancelled": throw failure(document, answer, of: operation)
            default: wait.learn(answer)
            }
        }
    }

    /// The answer at `Location`, once it is no 202 any more.
    private func follow(locationAt address: String, of operation: ARMOperation) async throws(AzureError) -> JSONValue? {
        var wait = Wait(operation.first)
        var address = address
        while true {
            try await pause(wait.next(), before: operation.call, else: timedOut(operation))
            guard let answer = try await look(at: address, of: operation) else { return nil }
            guard answer.status == 202 else { return answer.body }
            address = answer[header: "Location"] ?? address
            wait.learn(answer)
        }
    }

    /// What an operation's address answers. Just after the change the address can be unknown to the server that is asked,
    /// and Azure forgets a deletion's with what was deleted: then the resource itself says which of both it is.
    /// - Returns: nil for a deletion that has ended.
    private func look(at address: String, of operation: ARMOperation) async throws(AzureError) -> ARMAnswer? {
        var call = ARMCall("GET", address, nil)
        let deletes = operation.call.method == "DELETE"
        call.mustExist = !deletes
        while true {
            do throws(AzureError) {
                return try await answer(call)
            } catch {
                // What went wrong with the operation is the answer at Location.
                if let refusal = error.refusal, [400, 409, 412].contains(refusal.status) {
                    throw failure(refusal, of: operation)
                }
                guard deletes, error.code == .notFound else { throw error }
                guard try await find(ARMCall("GET", operation.call.path, operation.call.version)) != nil else {
                    return nil
                }
                try await pause(.seconds(4), before: operation.call, else: timedOut(operation))
            }
        }
    }

    /// No headers to follow: the resource itself says how far it is.
    private func settled(_ body: JSONValue?, of operation: ARMOperation) async throws(AzureError) -> JSONValue? {
        var body = body
        var wait = Wait(operation.first)
        while let state = body?["properties"]?["provisioningState"]?.string?.lowercased(),
            operation.call.method == "PUT" || operation.call.method == "PATCH"
        {
            switch state {
            case "succeeded": return body
            case "failed", "canceled", "cancelled":
                let first = operation.first[header: "x-ms-request-id"].map { " (request \($0))" } ?? ""
                throw AzureError(
                    .operationFailed, "\(operation.call.shown) ended as \(state)\(first).",
                    nextStep: "Look at the resource in the portal, then resume the run.")
            default: break
            }
            try await pause(wait.next(), before: operation.call, else: timedOut(operation))
            body = try await read(operation)
        }
        return body
    }

    private func result(of operation: ARMOperation, status: JSONValue) async throws(AzureError) -> JSONValue? {
        switch operation.call.method {
        case "PUT", "PATCH": return try await read(operation)
        case "DELETE": return nil
        default:
            if let output = status["properties"]?["output"], output != .null { return output }
            guard let address = operation.first[header: "Location"] else { return nil }
            // An action that has ended well and left nothing to fetch has ended well.
            return try await find(ARMCall("GET", address, nil))?.body
        }
    }

    private func find(_ call: ARMCall) async throws(AzureError) -> ARMAnswer? {
        do throws(AzureError) {
            return try await answer(call)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    private func read(_ operation: ARMOperation) async throws(AzureError) -> JSONValue {
        var call = ARMCall("GET", operation.call.path, operation.call.version)
        call.mustExist = true
        return try await answer(call).object()
    }

    private func failure(_ document: JSONValue, _ answer: ARMAnswer, of operation: ARMOperation) -> AzureError {
        var refusal = AzureError.Refusal(
            status: answer.status, body: document,
            headers: HTTPResponse(status: answer.status, headers: answer.headers))
        if refusal.code == nil { refusal.code = document["status"]?.string }
        return failure(refusal, of: operation)
    }

    private func failure(_ refusal: AzureError.Refusal, of operation: ARMOperation) -> AzureError {
        var refusal = refusal
        // The status that such a code comes with, where it comes at once.
        refusal.status = 409
        var meaning = RefusalMeaning.of(refusal)
        if meaning.code == .conflict { meaning.code = .operationFailed }
        let said = [refusal.code, refusal.message].compactMap { $0 }.joined(separator: ": ")
        let first = operation.first[header: "x-ms-request-id"].map { " (request \($0))" } ?? ""
        return AzureError(
            meaning.code, "\(operation.call.shown) was begun and failed: \(said)\(first).", nextStep: meaning.nextStep,
            refusal: refusal)
    }

    private func timedOut(_ operation: ARMOperation) -> AzureError {
        AzureError(
            .timedOut,
            "\(operation.call.shown) was begun and has not ended in the time for this step; it goes on in Azure.",
            nextStep: "Resume the run later: it finds what has been made.")
    }
}

/// When to ask the next time.
private struct Wait {
    private var said: Duration?
    private var asked = 0

    init(_ answer: ARMAnswer) { learn(answer) }

    mutating func learn(_ answer: ARMAnswer) {
        // 0, which Azure says at times, is no leave to ask without pause.
        said = HTTPResponse(status: answer.status, headers: answer.headers).retryAfter.map { max($0, .seconds(1)) }
    }

    /// What the last answer said; otherwise 1, 2, 4, 4, … seconds: one machine should not be polled faster than each 4 s.
    mutating func next() -> Duration {
        asked += 1
        return said ?? .seconds(min(4, 1 << min(asked - 1, 2)))
    }
}
