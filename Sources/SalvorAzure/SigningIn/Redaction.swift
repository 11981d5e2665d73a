/// Takes secrets out of what others wrote, before it is shown.
enum Redaction {
    /// One line of at most 300 characters, without control characters, without the secrets that are known and without
    /// whatever looks like a token.
    static func shown(_ text: String, without secrets: [String]) -> String {
        var text = text
        for secret in secrets where !secret.isEmpty { text = text.replacing(secret, with: "(secret)") }
        text = text.replacing(/"(accessToken|access_token|client_secret|password)"\s*:\s*"[^"]*("|$)/) {
            "\"\($0.output.1)\": \"(secret)\""
        }
        // A JSON web token: its header begins with {" in base64.
        text = text.replacing(/eyJ[A-Za-z0-9_\-.]{8,}/, with: "(token)")
        let line = text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) }
        let words = String(line).split(separator: " ").joined(separator: " ")
        return words.count > 300 ? "\(words.prefix(300))…" : words
    }
}
