// Boost.JSON, compiled here: the tests of the daemon share nothing with it but the operating system.
#include <boost/json/src.hpp>
