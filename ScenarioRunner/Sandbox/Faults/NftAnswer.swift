import Foundation

/// What `nft -j` answers: a list of objects, each with one member that names its kind.
struct NftAnswer: Decodable {
    struct Object: Decodable {
        struct Counter: Decodable {
            let name: String
            let packets: UInt64
        }

        struct Chain: Decodable {
            let name: String
            let hook: String?
        }

        struct Rule: Decodable {
            let chain: String
            let expr: [NftExpression]
        }

        let counter: Counter?
        let chain: Chain?
        let rule: Rule?
    }

    let nftables: [Object]

    var counters: [Object.Counter] { nftables.compactMap(\.counter) }
    var chains: [Object.Chain] { nftables.compactMap(\.chain) }

    /// The rules of one chain, in order.
    func rules(in chain: String) -> [[NftExpression]] {
        nftables.compactMap(\.rule).filter { $0.chain == chain }.map(\.expr)
    }

    init(json: String) throws {
        self = try JSONDecoder().decode(NftAnswer.self, from: Data(json.utf8))
    }
}

/// Any part of a rule, for comparison with what was asked. The elements of a set have no order.
enum NftExpression: Decodable, Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByDictionaryLiteral
{
    case null
    case number(Int)
    case text(String)
    case list([NftExpression])
    case set(Set<NftExpression>)
    case object([String: NftExpression])

    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int) { self = .number(value) }
    init(dictionaryLiteral elements: (String, NftExpression)...) {
        self = .object(Dictionary(elements) { first, _ in first })
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let number = try? container.decode(Int.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([NftExpression].self) {
            self = .list(list)
        } else {
            let members = try container.decode([String: NftExpression].self)
            if members.count == 1, case .list(let elements)? = members["set"] {
                self = .set(Set(elements))
            } else {
                self = .object(members)
            }
        }
    }
}
