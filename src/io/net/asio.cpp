// The one place where Asio itself is compiled: every other file sees its declarations only.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
