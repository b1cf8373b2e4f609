/** The version of the API, of which this is a client. */
export const VERSION = "0.1.0";
