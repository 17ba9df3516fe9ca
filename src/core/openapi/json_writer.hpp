// Writes JSON text in the order in which it is told: documents are large, and nothing of them is looked at again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "millrace/core/text.hpp"

namespace millrace::openapi {

class JsonWriter {
public:
    template <class Body>
    void object(Body&& body) {
        open('{');
        body();
        close('}');
    }
    template <class Body>
    void object(std::string_view name, Body&& body) {
        key(name);
        object(std::forward<Body>(body));
    }
    template <class Body>
    void array(Body&& body) {
        open('[');
        body();
        close(']');
    }
    template <class Body>
    void array(std::string_view name, Body&& body) {
        key(name);
        array(std::forward<Body>(body));
    }

    void key(std::string_view name) {
        text(name);
        out_ += ':';
        wants_comma_ = false;
    }
    void text(std::string_view value) {
        separate();
        text::append_json_string(out_, value);
    }
    void raw(std::string_view json) {
        separate();
        out_ += json;
    }

    // Members of an object.
    void text(std::string_view name, std::string_view value) {
        key(name);
        text(value);
    }
    void flag(std::string_view name, bool value) {
        key(name);
        raw(value ? "true" : "false");
    }
    void number(std::string_view name, std::int64_t value) {
        key(name);
        raw(std::to_string(value));
    }
    template <class Values>
    void texts(std::string_view name, const Values& values) {
        array(name, [&] {
            for (const auto& value : values) text(std::string_view(value));
        });
    }
    void reference(std::string_view pointer) {
        object([&] { text("$ref", pointer); });
    }

    [[nodiscard]] std::string take() { return std::move(out_); }

private:
    void separate() {
        if (wants_comma_) out_ += ',';
        wants_comma_ = true;
    }
    void open(char bracket) {
        separate();
        out_ += bracket;
        wants_comma_ = false;
    }
    void close(char bracket) {
        out_ += bracket;
        wants_comma_ = true;
    }

    std::string out_;
    bool wants_comma_ = false;
};

}  // namespace millrace::openapi
