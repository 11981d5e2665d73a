internal import SalvorJSON

/// What Microsoft Entra ID answered instead of a token, and what to do about it.
enum EntraFailure {
    /// - Parameter secrets: that were sent, and must not come back in a message.
    static func error(_ response: HTTPResponse, client: String, tenant: String, secrets: [String]) -> AzureError {
        let json = try? JSONValue.parse(response.body)
        let text = json?["error_description"]?.string ?? ""
        let number = code(in: text, json)
        // Behind the first line come trace ids and a time.
        let said = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        let sentence = Self.withoutTrace(said)
        let shown = Redaction.shown(
            sentence.isEmpty ? "status \(response.status) without an explanation" : sentence, without: secrets)
        let refusal = AzureError.Refusal(
            status: response.status, code: number.map { "AADSTS\($0)" } ?? json?["error"]?.string, message: shown,
            requestID: json?["trace_id"]?.string ?? response[header: "x-ms-request-id"],
            correlationID: json?["correlation_id"]?.string)
        let isDown = response.status == 429 || response.status >= 500
        return AzureError(
            isDown ? .unreachable : .notSignedIn, "Signing in was refused: \(shown)",
            nextStep: isDown
                ? "The sign-in service has a problem: try again later."
                : advice(number, client: client, tenant: tenant), refusal: refusal)
    }

    private static func code(in text: String, _ json: JSONValue?) -> Int64? {
        if let found = text.firstMatch(of: /AADSTS([0-9]+)/) { return Int64(found.output.1) }
        return json?["error_codes"]?.array?.first?.integer
    }

    private static func withoutTrace(_ text: String) -> String {
        text.firstRange(of: "Trace ID:").map { String(text[..<$0.lowerBound]) } ?? text
    }

    // "Microsoft Entra authentication and authorization error codes".
    private static func advice(_ number: Int64?, client: String, tenant: String) -> String {
        switch number {
        case 7_000_215:
            "Set AZURE_CLIENT_SECRET to the secret's value, which is not its id."
        case 7_000_222:
            "The client secret has expired: make a new one for application \(client), and set AZURE_CLIENT_SECRET."
        case 700_016:
            "Check AZURE_CLIENT_ID (\(client)) and AZURE_TENANT_ID (\(tenant)): the application is not in that tenant."
        case 90_002, 900_023:
            "Check AZURE_TENANT_ID (\(tenant)), and the cloud that is set: each has its own tenants."
        case 700_027, 700_030, 5_002_723:
            "Register the certificate in AZURE_CLIENT_CERTIFICATE_PATH with application \(client), and check that it has "
                + "not expired."
        case 700_024:
            "Check this machine's clock: what it signed is too old or not yet valid. A federated token may have expired."
        case 70_021, 700_211, 700_212, 700_213, 700_223:
            "Compare issuer, subject and audience of the federated token with the federated credentials of application "
                + "\(client)."
        case 500_011: "Check the ARM endpoint and the cloud that are set: tenant \(tenant) does not know this resource."
        case 7_000_112: "Application \(client) is disabled in tenant \(tenant): enable it."
        case 53_000, 53_001, 53_003, 530_003, 530_034:
            "A conditional access policy of tenant \(tenant) forbids it from here: ask its administrator."
        case 50_076, 50_079, 50_173, 50_078, 70_043, 700_082, 700_084: "Sign in again with az login."
        case 65_001: "An administrator of tenant \(tenant) has to consent to application \(client)."
        case 90_038, 900_382, 900_383: "Application and tenant belong to another cloud: check the cloud that is set."
        case 7_000_218:
            "Application \(client) has to show a secret or a certificate: set AZURE_CLIENT_SECRET or "
                + "AZURE_CLIENT_CERTIFICATE_PATH."
        default: "Check AZURE_TENANT_ID, AZURE_CLIENT_ID and what the application signs in with."
        }
    }
}
