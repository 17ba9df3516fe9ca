// Content codings: which of them a client takes, and bodies in them (RFC 9110 §8.4.1 and §12.5.3; gzip: RFC 1952, zstd:
// RFC 8878, br: RFC 7932).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace millrace::coding {

enum class Coding : std::uint8_t { identity, gzip, zstd, br };
inline constexpr std::array all_codings = {Coding::identity, Coding::gzip, Coding::zstd, Coding::br};

[[nodiscard]] std::string_view name(Coding coding);

// What an Accept-Encoding says of each coding.
class Accepted {
public:
    // Nothing but identity without the field: who says nothing is sent nothing that it might not understand.
    explicit Accepted(std::string_view accept_encoding);
    [[nodiscard]] bool takes(Coding coding) const { return weight(coding) > 0; }
    // The one of the highest weight; of equal ones the later in `offered`. Identity when none of them is taken.
    [[nodiscard]] Coding choose(std::span<const Coding> offered) const;

private:
    [[nodiscard]] int weight(Coding coding) const { return weights_[static_cast<std::size_t>(coding)]; }
    std::array<int, all_codings.size()> weights_{};  // thousandths; 0: not taken
};

struct Levels {
    int gzip = 6, zstd = 6, br = 5;
};

// The same bytes for the same body, level and library. Nothing when it would not become smaller by an eighth at least.
[[nodiscard]] std::optional<std::string> compress(Coding coding, std::string_view body, const Levels& levels);

}  // namespace millrace::coding
