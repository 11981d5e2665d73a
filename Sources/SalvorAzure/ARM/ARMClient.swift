internal import SalvorAudit
internal import SalvorCoordinatorCore
package import SalvorJSON

/// Azure Resource Manager: signs each call, paces it, repeats it where that is safe, and follows long-running operations
/// to their end (ARMClient+Operations.swift).
///
/// A value: ``within(_:)`` gives one whose calls, waits and operations together end by a deadline.
package struct ARMClient: Sendable {
    /// `https://management.azure.com`, without a slash at its end.
    package let endpoint: String
    let scope: String
    let transport: any HTTPTransport
    let tokens: any TokenSource
    let clock: AzureClock
    let throttle: Throttle
    /// By the clock's monotonic time; nil for calls that each have ``callLimit`` of their own.
    private(set) var deadline: Duration?

    /// How long one call, repeats included, may take where nobody has set a deadline: without one, a wrong proxy setting
    /// would be tried for ever.
    private static let callLimit = Duration.seconds(300)

    /// - Parameters:
    ///   - endpoint: of Azure Resource Manager.
    ///   - scope: what tokens are for; `endpoint` with `/.default` where nil.
    package init(
        endpoint: String, scope: String? = nil, transport: any HTTPTransport, tokens: any TokenSource,
        clock: AzureClock = .system
    ) {
        let endpoint = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
        self.endpoint = endpoint
        self.scope = scope ?? "\(endpoint)/.default"
        self.transport = transport
        self.tokens = tokens
        self.clock = clock
        throttle = Throttle()
    }

    /// The same with an earlier end; never a later one.
    package func within(_ limit: Duration) -> ARMClient {
        var client = self
        let end = clock.monotonic() + limit
        client.deadline = min(deadline ?? end, end)
        return client
    }

    package func get(
        _ path: String, _ version: APIVersion, query: [String: String] = [:]
    ) async throws(AzureError) -> JSONValue {
        try await answer(ARMCall("GET", path, version, query: query)).object()
    }

    /// - Returns: nil where there is no such thing, or the group that would hold it.
    package func find(
        _ path: String, _ version: APIVersion, query: [String: String] = [:]
    ) async throws(AzureError) -> JSONValue? {
        do throws(AzureError) {
            return try await get(path, version, query: query)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    /// All pages of a list.
    package func list(
        _ path: String, _ version: APIVersion, query: [String: String] = [:]
    ) async throws(AzureError) -> [JSONValue] {
        var items: [JSONValue] = []
        var next: ARMCall? = ARMCall("GET", path, version, query: query)
        while let call = next {
            let page = try await answer(call).object()
            items += page["value"]?.array ?? []
            let link = page["nextLink"]?.string ?? ""
            next = link.isEmpty ? nil : ARMCall("GET", link, nil)
        }
        return items
    }

    /// One call and its answer, repeated where it is safe; no following of what it begins.
    /// - Throws: for every answer that is no success.
    package func answer(_ call: ARMCall) async throws(AzureError) -> ARMAnswer {
        guard deadline != nil else { return try await within(Self.callLimit).answer(call) }
        var attempt = 0
        var hasNewToken = false
        while true {
            attempt += 1
            try await pause(throttle.delay(call, now: clock.monotonic()), before: call)
            // Another call of the group may have been told meanwhile to wait.
            while let rest = throttle.rest(call, now: clock.monotonic()) { try await pause(rest, before: call) }
            let token = try await tokens.token(for: scope)
            let response: HTTPResponse
            do throws(AzureError) {
                response = try await send(call, token: token)
            } catch {
                // The call may have had its effect.
                guard call.repeats == .safe, [.unreachable, .timedOut].contains(error.code) else { throw error }
                try await pause(backoff(attempt), before: call, else: error)
                continue
            }
            if (200..<300).contains(response.status) { return try ARMAnswer(response, to: call) }
            let error = AzureError(Self.refusal(response), doing: call.shown)
            switch response.status {
            case 401 where !hasNewToken:
                hasNewToken = true
                await tokens.forget(token)
            case 404 where call.mustExist && attempt <= Self.lookups:
                try await pause(backoff(attempt), before: call, else: error)
            // The state that the call was made for is gone: whoever made it has to look again.
            case 412: throw error
            case 500... where call.repeats == .never: throw error
            default:
                guard let refusal = error.refusal, RefusalMeaning.of(refusal).later == .yes else { throw error }
                try await pause(max(response.retryAfter ?? .zero, backoff(attempt)), before: call, else: error)
            }
        }
    }

    /// How often what must exist is looked for again: for a minute or so, which no lag of Azure's exceeds.
    private static let lookups = 8

    private func send(_ call: ARMCall, token: AccessToken) async throws(AzureError) -> HTTPResponse {
        var headers = [
            HTTPField("Authorization", "Bearer \(token.secret)"), HTTPField("Accept", "application/json"),
            HTTPField("User-Agent", "salvor"),
        ]
        // Operations' addresses are Azure's own; a token goes to no other host.
        let url = call.url(at: endpoint)
        guard Self.origin(url) == Self.origin(endpoint) else {
            throw AzureError(
                .badAnswer, "Azure named an address on another host, which was not called: \(call.shown).",
                nextStep: "Check the ARM endpoint that is set.")
        }
        if let tag = call.ifMatch { headers.append(HTTPField("If-Match", tag)) }
        if call.body != nil { headers.append(HTTPField("Content-Type", "application/json")) }
        let began = clock.monotonic()
        let left = (deadline ?? began + Self.callLimit) - began
        let request = HTTPRequest(
            call.method, url, headers: headers, body: call.body?.utf8 ?? [],
            timeout: min(.seconds(60), max(left, .seconds(1))))
        do throws(AzureError) {
            let response = try await transport.send(request)
            throttle.learn(call, response, now: clock.monotonic())
            note(call, response, since: began)
            return response
        } catch {
            note(call, nil, since: began)
            var error = error
            error.message = "\(call.shown): \(error.message)"
            throw error
        }
    }

    private func note(_ call: ARMCall, _ response: HTTPResponse?, since began: Duration) {
        let refusal = response.flatMap { $0.status >= 400 ? Self.refusal($0) : nil }
        let took = clock.monotonic() - began
        ProviderTrail.note(
            ProviderCall(
                verb: call.method, target: call.target, changes: call.changes, status: response?.status,
                code: refusal?.code, requestID: response?[header: "x-ms-request-id"],
                correlationID: response?[header: "x-ms-correlation-request-id"],
                milliseconds: Int(took.inSeconds * 1000)))
    }

    static func refusal(_ response: HTTPResponse) -> AzureError.Refusal {
        AzureError.Refusal(status: response.status, body: try? JSONValue.parse(response.body), headers: response)
    }

    /// 1, 2, 4, 8, 16, 16, … seconds: callers differ in when they began, so that no herd forms.
    private func backoff(_ attempt: Int) -> Duration { .seconds(min(16, 1 << min(attempt - 1, 4))) }

    /// - Parameter reason: what to end with where the deadline comes before the end of the pause.
    func pause(_ time: Duration, before call: ARMCall, else reason: AzureError? = nil) async throws(AzureError) {
        if let deadline {
            let left = deadline - clock.monotonic()
            guard left > .zero, time < left else {
                throw reason
                    ?? AzureError(
                        left > .zero ? .throttled : .timedOut,
                        left > .zero
                            ? "Azure's limits on requests let \(call.shown) be sent too late for this step."
                            : "The time for this step was over before \(call.shown).",
                        nextStep: "Resume the run.")
            }
        }
        do {
            if time > .zero { try await clock.sleep(time) } else { try Task.checkCancellation() }
        } catch {
            throw AzureError(.cancelled, "Interrupted before \(call.shown).", nextStep: "Resume the run.")
        }
    }

    /// Scheme, host and port, which have no case; the scheme's own port is the same as none. What is no plain address
    /// (a user, a fragment before the path) stays in it, so that it equals no endpoint.
    private static func origin(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return "" }
        let rest = url[scheme.upperBound...]
        let origin = url[..<(rest.firstIndex { $0 == "/" || $0 == "?" } ?? url.endIndex)].lowercased()
        return origin.hasPrefix("https://") && origin.hasSuffix(":443") ? String(origin.dropLast(4)) : origin
    }
}

extension ARMCall {
    /// For messages.
    var shown: String { "\(method) \(target)" }
}

extension ARMAnswer {
    init(_ response: HTTPResponse, to call: ARMCall) throws(AzureError) {
        var body: JSONValue?
        if !response.body.isEmpty {
            do {
                body = try JSONValue.parse(response.body)
            } catch {
                throw AzureError(
                    .badAnswer, "Azure's answer to \(call.shown) is no JSON.",
                    nextStep: "Check the ARM endpoint and the proxy settings.")
            }
        }
        self.init(status: response.status, headers: response.headers, body: body)
    }

    /// The body of an answer that must have one.
    func object() throws(AzureError) -> JSONValue {
        guard let body, case .object = body else {
            throw AzureError(
                .badAnswer, "Azure's answer has no body where one is documented.",
                nextStep: "Check the ARM endpoint and the proxy settings.")
        }
        return body
    }
}
