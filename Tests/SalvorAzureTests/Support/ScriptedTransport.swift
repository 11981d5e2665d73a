import SalvorAzure
import SalvorJSON
import Synchronization

/// Answers each request with the next line of a script, and keeps what was sent.
final class ScriptedTransport: HTTPTransport {
    enum Line: Sendable {
        case answer(Int, [String: String] = [:], JSONValue? = nil)
        /// The connection ends before an answer.
        case lost(AzureError.Code)
        /// No answer until the request is given up.
        case hang
        /// Time passes before the answer that comes next.
        case after(Duration)
    }

    private struct State {
        var lines: [Line]
        var sent: [HTTPRequest] = []
    }

    private let state: Mutex<State>
    private let time: RecordedTime
    /// Yields the number of requests whenever one hangs.
    let hanging: AsyncStream<Int>
    private let announce: AsyncStream<Int>.Continuation

    init(_ lines: [Line], time: RecordedTime) {
        state = Mutex(State(lines: lines))
        self.time = time
        (hanging, announce) = AsyncStream.makeStream()
    }

    var sent: [HTTPRequest] { state.withLock { $0.sent } }
    /// `GET /subscriptions/s/x?api-version=1`, in their order.
    var shown: [String] {
        sent.map { request in
            let path = request.url.firstRange(of: "://").map { request.url[$0.upperBound...] } ?? request.url[...]
            return "\(request.method) \(path.firstIndex(of: "/").map { path[$0...] } ?? "")"
        }
    }
    /// Lines that nobody has asked for.
    var left: Int { state.withLock { $0.lines.count } }

    func send(_ request: HTTPRequest) async throws(AzureError) -> HTTPResponse {
        while true {
            let (line, count) = state.withLock { state -> (Line?, Int) in
                if case .after(let time)? = state.lines.first {
                    state.lines.removeFirst()
                    return (Line.after(time), state.sent.count)
                }
                state.sent.append(request)
                return (state.lines.isEmpty ? nil : state.lines.removeFirst(), state.sent.count)
            }
            switch line {
            case .answer(let status, let headers, let body)?:
                return HTTPResponse(
                    status: status, headers: headers.map { HTTPField($0.key, $0.value) }, body: body?.utf8 ?? [])
            case .lost(let code)?: throw AzureError(code, "management.test gave no answer.", nextStep: "")
            case .hang?:
                announce.yield(count)
                do { try await Task.sleep(for: .seconds(3600)) } catch {
                    throw AzureError(.cancelled, "A call was interrupted.", nextStep: "Resume the run.")
                }
                throw AzureError(.timedOut, "No answer.", nextStep: "")
            case .after(let time)?: self.time.pass(time)
            case nil: throw AzureError(.badSetting, "The script has no answer to \(request.url).", nextStep: "")
            }
        }
    }
}

/// A client of Resource Manager that talks to a script.
struct ScriptedAzure: Sendable {
    static let endpoint = "https://management.test"

    let time = RecordedTime()
    let transport: ScriptedTransport
    let tokens = CountedTokens()
    let arm: ARMClient

    init(_ lines: ScriptedTransport.Line..., endpoint: String = endpoint) {
        self.init(lines, endpoint: endpoint)
    }

    init(_ lines: [ScriptedTransport.Line], endpoint: String = endpoint) {
        transport = ScriptedTransport(lines, time: time)
        arm = ARMClient(endpoint: endpoint, transport: transport, tokens: tokens, clock: time.clock)
    }
}

/// Gives `secret-token-1`, and the next number after each that is forgotten.
final class CountedTokens: TokenSource {
    private let number = Mutex(1)

    func token(for scope: String) async throws(AzureError) -> AccessToken {
        AccessToken(secret: "secret-token-\(number.withLock { $0 })", expires: .max)
    }

    func forget(_ token: AccessToken) async { number.withLock { $0 += 1 } }
}

extension JSONValue {
    /// An error as Resource Manager writes it.
    static func refusal(_ code: String, _ message: String = "Because.") -> JSONValue {
        ["error": ["code": .string(code), "message": .string(message)]]
    }
}

/// The error that something ends with; nil where it ends well.
func failure<Value>(_ body: () async throws(AzureError) -> Value) async -> AzureError? {
    do throws(AzureError) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}
