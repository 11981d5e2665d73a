import AzureEmulator
import SalvorAzure
import SalvorJSON
import Testing

extension RunningAzure {
    /// An answer by HTTPS.
    struct Answer {
        var status: Int
        var json: JSONValue
        var response: HTTPResponse
    }

    /// A token of the application, as the sign-in gives it to whoever has the secret.
    /// - Parameter resource: nil for Resource Manager's.
    func bearer(for resource: String? = nil) async throws -> String {
        let scope = "\(resource ?? endpoint)/.default"
        let form =
            "grant_type=client_credentials&client_id=\(Self.client)&client_secret=\(Self.secret)&scope=\(scope)"
        let response = try await connections.send(
            HTTPRequest(
                "POST", "\(endpoint)/\(Self.tenant)/oauth2/v2.0/token",
                headers: [HTTPField("Content-Type", "application/x-www-form-urlencoded")], body: Array(form.utf8)))
        return try #require(try JSONValue.parse(response.body)["access_token"]?.string)
    }

    /// Asks Resource Manager something, beside the code under test, with all of the application's permissions.
    /// - Parameter path: below the subscription, unless it begins with a slash; with a query if it has to be one.
    func callAsFunction(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> Answer {
        let path = path.hasPrefix("/") ? path : "/subscriptions/\(Self.subscription)/\(path)"
        let query = path.contains("?") ? "" : "?api-version=2024-11-01"
        let response = try await connections.send(
            HTTPRequest(
                method, "\(endpoint)\(path)\(query)",
                headers: [
                    HTTPField("Authorization", "Bearer \(try await bearer())"),
                    HTTPField("Content-Type", "application/json"),
                ],
                body: body.map(\.utf8) ?? []))
        return Answer(
            status: response.status, json: response.body.isEmpty ? .null : try JSONValue.parse(response.body),
            response: response)
    }

    /// Sends a change and waits until what was changed says that it is done.
    func make(_ path: String, _ body: JSONValue) async throws {
        let answer = try await self("PUT", path, body)
        try #require((200...202).contains(answer.status), "\(path): \(answer.json)")
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let now = try await self("GET", path)
            let state = now.json["properties"]?["provisioningState"]?.string
            if now.status == 200, state == "Succeeded" || state == nil { return }
            try #require(ContinuousClock.now < deadline && state != "Failed", "\(path): \(now.json)")
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
